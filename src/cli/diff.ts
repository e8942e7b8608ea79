import type { Command } from 'commander';
import { type Client, call } from '../client/client.ts';
import { imageDiffFiles, imageDiffFindings, imageDiffPackages } from '../contract/image-diff.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { limits } from '../lib/limits.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand, type Table } from './output.ts';

interface DiffOptions extends ServerOptions, OutputOptions {
  readonly packages?: boolean;
  readonly files?: boolean;
  readonly findings?: boolean;
  readonly path?: string;
  readonly platform?: string;
}

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand(
      'diff',
      'Show what differs between two images',
      'lazaret diff acme/shop:1 acme/shop:2 --files',
    )
      .argument('<from>', 'acme/shop:1')
      .argument('<to>', 'acme/shop:2, or an image of another repository')
      .option('--packages', 'their packages (the default)')
      .option('--files', 'their files: contents, kind and mode')
      .option('--findings', 'the advisories that apply to them')
      .option('--path <glob>', 'with --files: of these paths only')
      .option('--platform <platform>', 'of indexes: linux/amd64')
      .action((from: string, to: string, options: DiffOptions) => diff(io, { from, to }, options)),
  );
}

interface Asked {
  readonly io: CliIo;
  readonly client: Client;
  readonly query: {
    readonly from: string;
    readonly to: string;
    readonly platform?: string;
    readonly limit: number;
  };
  readonly options: DiffOptions;
}

async function diff(io: CliIo, images: { from: string; to: string }, options: DiffOptions): Promise<void> {
  const { platform } = options;
  const query = {
    ...images,
    limit: limits.inventoryPageMax,
    ...(platform === undefined ? {} : { platform }),
  };
  const asked = { io, client: await clientOf(io, options), query, options };
  if (options.files) await printFiles(asked);
  else if (options.findings) await printFindings(asked);
  else await printPackages(asked);
}

async function printPackages(asked: Asked): Promise<void> {
  const found = await all((after) =>
    call(asked.client, imageDiffPackages, { query: { ...asked.query, ...after } }, asked.io),
  );
  await printed(asked, found, (items) => ({
    columns: ['change', 'type', 'package', 'from', 'to'],
    rows: items.map((item) => [
      item.change,
      item.type,
      item.name,
      versionsText(item.from),
      versionsText(item.to),
    ]),
    shorten: { package: 'start', from: 'start', to: 'start' },
  }));
}

async function printFindings(asked: Asked): Promise<void> {
  const found = await all((after) =>
    call(asked.client, imageDiffFindings, { query: { ...asked.query, ...after } }, asked.io),
  );
  await printed(asked, found, (items) => ({
    columns: ['change', 'advisory', 'severity', 'package', 'from', 'to'],
    rows: items.map((item) => [
      item.change,
      item.advisory,
      item.severity,
      item.name,
      versionsText(item.from),
      versionsText(item.to),
    ]),
    shorten: { package: 'start', from: 'start', to: 'start' },
  }));
  const gaps =
    found.advisorySources > 0
      ? found.advisoryGaps
      : ['no advisories were ever loaded, so nobody knows which apply'];
  for (const gap of gaps) asked.io.note(gap);
  if (gaps.length > 0) asked.io.exit(3);
}

async function printFiles(asked: Asked): Promise<void> {
  const { path } = asked.options;
  const own = path === undefined ? {} : { path };
  const found = await all((after) =>
    call(asked.client, imageDiffFiles, { query: { ...asked.query, ...own, ...after } }, asked.io),
  );
  await printed(asked, found, (items) => ({
    columns: ['change', 'from', 'to', 'path'],
    rows: items.map(({ change, from, to, path: at }) => [change, sideText(from), sideText(to), `/${at}`]),
    shorten: { path: 'end' },
  }));
}

/** null, which a table shows as `-`, where there is none. */
function versionsText(versions: readonly string[]): string | null {
  return versions.length === 0 ? null : versions.join(' ');
}

type Side = RouteAnswer<typeof imageDiffFiles>['items'][number]['from'];

/** `0755 file 3b5d5c371250`: what tells one side from the other. */
function sideText(side: Side): string | null {
  if (side === null) return null;
  return [side.mode.toString(8).padStart(4, '0'), side.kind, side.sha256?.slice(0, 12) ?? '']
    .join(' ')
    .trimEnd();
}

interface Page<T>
  extends Pick<RouteAnswer<typeof imageDiffFiles>, 'from' | 'to' | 'advisorySources' | 'advisoryGaps'> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** All pages as one. */
async function all<T>(page: (after: { readonly after?: string }) => Promise<Page<T>>): Promise<Page<T>> {
  const first = await page({});
  const items = [...first.items];
  for (let { next } = first; next !== null; ) {
    const more = await page({ after: next });
    items.push(...more.items);
    next = more.next;
  }
  return { ...first, items, next: null };
}

/** Two images that differ are something found; an image that is not wholly read may differ in more. */
async function printed<T>(
  { io, options }: Asked,
  found: Page<T>,
  table: (items: readonly T[]) => Table,
): Promise<void> {
  const { from, to, items } = found;
  await print(io, options.output, { from, to, items }, () =>
    items.length === 0 ? 'no difference' : table(items),
  );
  if (items.length > 0) io.exit(2);
  for (const image of [from, to]) {
    if (image.state === 'done') continue;
    io.note(`${image.digest} is ${image.state}${image.reason === null ? '' : `: ${image.reason}`}`);
    io.exit(3);
  }
}
