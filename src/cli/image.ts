import { Command } from 'commander';
import { type Client, call } from '../client/client.ts';
import { imageFileList, imageListRoute, imagePackageList, imageShow } from '../contract/images.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { systemClock } from '../lib/clock.ts';
import { imageText } from './image-text.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { digestText, sizeText, timeText } from './words.ts';

type ShownImage = RouteAnswer<typeof imageShow>;

interface ListOptions extends ServerOptions, OutputOptions {
  readonly account?: string;
  readonly repository?: string;
}

interface ShowOptions extends ServerOptions, OutputOptions {
  readonly packages?: boolean;
  readonly files?: boolean;
  readonly layers?: boolean;
  readonly wait?: boolean;
}

export function register(program: Command, io: CliIo): void {
  const list = serverCommand('ls', 'List the images that you may pull', 'lazaret image ls --account acme')
    .option('--account <name>', 'of this account only')
    .option('--repository <name>', 'of this repository only')
    .action((options: ListOptions) => listImages(io, options));
  const show = serverCommand('show', 'Show what is in an image', 'lazaret image show acme/shop:1 --wait')
    .argument('<reference>', 'acme/shop:1 or acme/shop@sha256:…')
    .option('--packages', 'list the packages that it shows')
    .option('--files', 'list the entries of its layers')
    .option('--layers', 'list its layers')
    .option('--wait', 'wait until its inspection has ended')
    .action((reference: string, options: ShowOptions) => showImage(io, reference, options));
  const command = new Command('image').description('List images, and see what is in them');
  program.addCommand(command.addCommand(list).addCommand(show));
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
  const image = await inspected(io, client, reference, options.wait === true);
  const exact = `${image.repository}@${image.digest}`;
  if (options.packages) await printPackages(io, client, exact, options);
  else if (options.files) await printFiles(io, client, image, options);
  else if (options.layers) await printLayers(io, image, options);
  else await print(io, options.output, image, () => imageText(image));
  if (image.state === 'unknown' || image.state === 'pending') io.exit(3);
}

const pollFirstMs = 50;
const pollMaxMs = 1_000;

async function inspected(io: CliIo, client: Client, reference: string, wait: boolean): Promise<ShownImage> {
  for (let delayMs = pollFirstMs; ; delayMs = Math.min(pollMaxMs, delayMs * 2)) {
    const image = await call(client, imageShow, { query: { reference } }, { signal: io.signal });
    if (!wait || image.state !== 'pending') return image;
    await systemClock.sleep(delayMs, io.signal);
    io.signal.throwIfAborted();
  }
}

/** All pages. */
async function all<T>(
  page: (offset: number) => Promise<{ items: readonly T[]; next: number | null }>,
): Promise<T[]> {
  const found: T[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const { items, next }: { items: readonly T[]; next: number | null } = await page(offset);
    found.push(...items);
    offset = next;
  }
  return found;
}

async function printPackages(
  io: CliIo,
  client: Client,
  reference: string,
  options: OutputOptions,
): Promise<void> {
  const packages = await all(async (offset) => {
    const query = { reference, offset, limit: pageSize };
    const answer = await call(client, imagePackageList, { query }, { signal: io.signal });
    return { items: answer.packages, next: answer.next };
  });
  await print(io, options.output, packages, () => ({
    columns: ['package', 'version', 'ecosystem', 'licence', 'layer', 'path'],
    rows: packages.map((found) => [
      found.name,
      found.version,
      found.ecosystem,
      found.license,
      digestText(found.layer),
      `/${found.path}`,
    ]),
  }));
}

type FileOfLayer = RouteAnswer<typeof imageFileList>['files'][number];

async function printFiles(
  io: CliIo,
  client: Client,
  image: ShownImage,
  options: OutputOptions,
): Promise<void> {
  const reference = `${image.repository}@${image.digest}`;
  const rows: (FileOfLayer & { readonly layer: string })[] = [];
  for (const { digest: layer } of image.layers) {
    const files = await all(async (offset) => {
      const query = { reference, layer, offset, limit: pageSize };
      const answer = await call(client, imageFileList, { query }, { signal: io.signal });
      return { items: answer.files, next: answer.next };
    });
    rows.push(...files.map((file) => ({ layer, ...file })));
  }
  await print(io, options.output, rows, () => ({
    columns: ['layer', 'mode', 'kind', 'size', 'path'],
    rows: rows.map(({ layer, mode, kind, sizeBytes, path }) => [
      digestText(layer),
      mode.toString(8).padStart(4, '0'),
      kind,
      kind === 'file' ? sizeText(sizeBytes) : null,
      `/${path}`,
    ]),
  }));
}

async function printLayers(io: CliIo, image: ShownImage, options: OutputOptions): Promise<void> {
  await print(io, options.output, image.layers, () => ({
    columns: ['layer', 'size', 'entries', 'packages', 'state', 'ms', 'diff id'],
    rows: image.layers.map((layer) => [
      digestText(layer.digest),
      sizeText(layer.sizeBytes),
      layer.entries,
      layer.packages,
      layer.reason === null ? layer.state : `${layer.state}: ${layer.reason}`,
      layer.durationMs,
      layer.diffId && digestText(layer.diffId),
    ]),
  }));
}
