import { Command } from 'commander';
import { type Client, call } from '../client/client.ts';
import { imageListRoute, imageShow } from '../contract/images.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { systemClock } from '../lib/clock.ts';
import { inventoryCommand } from './image-inventory.ts';
import { sbomCommand } from './image-sbom.ts';
import { imageText, indexText } from './image-text.ts';
import { serverLists } from './inventory-lists.ts';
import { type InventoryOptions, inventoryListAsked, inventoryOptions } from './inventory-tables.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { digestText, sizeText, timeText } from './words.ts';

type ShownImage = RouteAnswer<typeof imageShow>;

interface ListOptions extends ServerOptions, OutputOptions {
  readonly account?: string;
  readonly repository?: string;
}

interface ShowOptions extends ServerOptions, InventoryOptions {
  readonly layers?: boolean;
  readonly wait?: boolean;
}

export function register(program: Command, io: CliIo): void {
  const list = serverCommand('ls', 'List the images that you may pull', 'lazaret image ls --account acme')
    .option('--account <name>', 'of this account only')
    .option('--repository <name>', 'of this repository only')
    .action((options: ListOptions) => listImages(io, options));
  const show = serverCommand(
    'show',
    'Show what is in an image',
    'lazaret image show acme/shop:1 --packages --wait',
  )
    .argument('<reference>', 'acme/shop:1 or acme/shop@sha256:…')
    .option('--layers', 'list its layers')
    .option('--wait', 'wait until its inspection has ended')
    .action((reference: string, options: ShowOptions) => showImage(io, reference, options));
  inventoryOptions(show);
  const command = new Command('image').description('List images, and see what is in them');
  program.addCommand(
    command.addCommand(list).addCommand(show).addCommand(sbomCommand(io)).addCommand(inventoryCommand(io)),
  );
}

const pageSize = 1_000;

async function listImages(io: CliIo, options: ListOptions): Promise<void> {
  const client = await clientOf(io, options);
  const { account, repository } = options;
  const asked = { ...(account ? { account } : {}), ...(repository ? { repository } : {}), limit: pageSize };
  const images: RouteAnswer<typeof imageListRoute>['images'] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const query = after === undefined ? asked : { ...asked, after };
    const page = await call(client, imageListRoute, { query }, { signal: io.signal });
    images.push(...page.images);
    after = page.next;
  }
  await print(io, options.output, images, () => ({
    columns: ['repository', 'tag', 'digest', 'size', 'layers', 'packages', 'state', 'pushed'],
    rows: images.flatMap((image) =>
      (image.tags.length === 0 ? [null] : image.tags).map((tag) => [
        image.repository,
        tag,
        digestText(image.digest),
        image.kind === 'index' ? null : sizeText(image.sizeBytes),
        image.kind === 'index' ? null : image.layers,
        image.kind === 'index' ? null : image.packages,
        image.quarantine === null ? (image.state ?? image.kind) : `quarantined (${image.quarantine.name})`,
        timeText(image.pushedAt),
      ]),
    ),
  }));
}

async function showImage(io: CliIo, reference: string, options: ShowOptions): Promise<void> {
  const client = await clientOf(io, options);
  const list = inventoryListAsked(options);
  const named = await inspected(io, client, { reference, ...options });
  const only = list || options.layers ? onlyImage(named) : undefined;
  const image = only ? await inspected(io, client, { reference: only, ...options }) : named;
  if (list) await list({ io, lists: serverLists(client, image, io), options });
  else if (options.layers) await printLayers(io, image, options);
  else if (image.kind === 'index') await printIndex(io, client, { index: image, options });
  else await print(io, options.output, image, () => imageText(image));
  if (options.malware && image.malware?.state !== 'done') {
    io.note(`malware: ${image.malware?.reason ?? 'it was not looked for'}`);
    io.exit(3);
  }
  if (image.state === 'unknown' || image.state === 'pending') io.exit(3);
}

const pollFirstMs = 50;
const pollMaxMs = 1_000;

/** The image of an index that has one only, attestations aside. */
function onlyImage({ repository, kind, children }: ShownImage): string | undefined {
  if (kind !== 'index') return undefined;
  const images = children.filter(({ platform }) => platform !== null && platform !== 'unknown/unknown');
  return images.length === 1 ? `${repository}@${images[0]?.digest}` : undefined;
}

/** Each of its images by itself: the index has no inventory of its own. */
async function printIndex(
  io: CliIo,
  client: Client,
  { index, options }: { readonly index: ShownImage; readonly options: ShowOptions },
): Promise<void> {
  const images: ShownImage[] = [];
  const { wait = false } = options;
  for (const { digest, state } of index.children)
    if (state !== null && state !== 'notApplicable')
      images.push(await inspected(io, client, { reference: `${index.repository}@${digest}`, wait }));
  await print(io, options.output, index, () => indexText(index, images));
  if (images.some(({ state }) => state === 'unknown' || state === 'pending')) io.exit(3);
}

async function inspected(
  io: CliIo,
  client: Client,
  { reference, platform, wait }: Pick<ShowOptions, 'platform' | 'wait'> & { readonly reference: string },
): Promise<ShownImage> {
  const query = { reference, ...(platform === undefined ? {} : { platform }) };
  for (let delayMs = pollFirstMs; ; delayMs = Math.min(pollMaxMs, delayMs * 2)) {
    const image = await call(client, imageShow, { query }, { signal: io.signal });
    if (wait !== true || image.state !== 'pending') return image;
    await systemClock.sleep(delayMs, io.signal);
    io.signal.throwIfAborted();
  }
}

async function printLayers(io: CliIo, image: ShownImage, options: OutputOptions): Promise<void> {
  await print(io, options.output, image.layers, () => ({
    columns: ['#', 'layer', 'size', 'entries', 'packages', 'state', 'ms', 'diff id'],
    rows: image.layers.map((layer, at) => [
      at + 1,
      digestText(layer.digest),
      sizeText(layer.sizeBytes),
      layer.entries,
      layer.packages,
      layer.reason === null ? layer.state : `${layer.state}: ${layer.reason}`,
      layer.durationMs,
      layer.diffId && digestText(layer.diffId),
    ]),
    shorten: { state: 'start' },
  }));
}
