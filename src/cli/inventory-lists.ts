import { type Command, Option } from 'commander';
import { type Client, call } from '../client/client.ts';
import type { imageShow } from '../contract/images.ts';
import {
  imageFileList,
  imageLicenseList,
  imagePackageList,
  imageSecretList,
} from '../contract/inventory-lists.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { CliIo } from './io.ts';
import { type OutputOptions, print, type Table } from './output.ts';
import { sizeText } from './words.ts';

/** What `image show` may be asked for beside the image itself: each list of the API with its table. */
export interface InventoryOptions extends OutputOptions {
  readonly packages?: boolean;
  readonly files?: boolean;
  readonly secrets?: boolean;
  readonly licenses?: boolean;
  readonly license?: string;
  readonly kind?: string;
  readonly platform?: string;
  readonly in?: 'image' | 'layer';
  /** A number, as `--layers` counts, or the start of a digest. */
  readonly layer?: string;
  readonly path?: string;
  readonly name?: string;
  readonly type?: string;
}

type ShownImage = RouteAnswer<typeof imageShow>;

interface Asked {
  readonly io: CliIo;
  readonly client: Client;
  readonly image: ShownImage;
  readonly options: InventoryOptions;
}

export function inventoryOptions(command: Command): void {
  command
    .option('--packages', 'list its packages')
    .option('--files', 'list its files')
    .option('--secrets', 'list where it has secrets')
    .option('--licenses', 'list the licences of its packages')
    .option('--platform <platform>', 'of an index: linux/amd64')
    .addOption(
      new Option('--in <place>', 'what all layers together show, or what any layer has').choices([
        'image',
        'layer',
      ]),
    )
    .option('--layer <layer>', 'of one layer: its number, or the start of its digest')
    .option('--path <glob>', "whose path matches: 'usr/lib/**'")
    .option('--name <glob>', 'packages whose name matches')
    .option('--type <type>', 'packages of this type: deb, npm')
    .option('--license <glob>', "licences whose SPDX expression matches: '*GPL-*', unknown")
    .option('--kind <glob>', "secrets of these kinds: 'aws-*'");
}

/** The list that the options ask for, to be printed. */
export function inventoryListAsked(options: InventoryOptions): ((asked: Asked) => Promise<void>) | undefined {
  if (options.packages) return printPackages;
  if (options.files) return printFiles;
  if (options.licenses) return printLicences;
  if (options.secrets) return printSecrets;
  return undefined;
}

async function printPackages(asked: Asked): Promise<void> {
  const { io, client, options } = asked;
  const own = packageFilters(options);
  const packages = await all(asked, (query) =>
    call(client, imagePackageList, { query: { ...query, ...own, in: options.in ?? 'image' } }, io),
  );
  await print(io, options.output, packages, () => ({
    columns: ['package', 'version', 'type', 'licence', 'layer', 'path'],
    rows: packages.map((found) => [
      found.name,
      found.version,
      purlType(found.purl),
      found.spdx ?? found.license,
      layerText(asked, found),
      `/${found.path}`,
    ]),
    shorten: { package: 'start', version: 'start', licence: 'start', path: 'end' },
  }));
}

function packageFilters({ name, type }: InventoryOptions) {
  return { ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }) };
}

async function printLicences(asked: Asked): Promise<void> {
  const { io, client, options } = asked;
  const { license } = options;
  const own = { ...packageFilters(options), ...(license === undefined ? {} : { license }) };
  const packages = await all(asked, (query) =>
    call(client, imageLicenseList, { query: { ...query, ...own, in: options.in ?? 'image' } }, io),
  );
  await print(io, options.output, packages, () => ({
    columns: ['licence', 'package', 'version', 'type', 'layer', 'path'],
    rows: packages.map((found) => [
      licenceText(found),
      found.name,
      found.version,
      purlType(found.purl),
      layerText(asked, found),
      `/${found.path}`,
    ]),
    shorten: { licence: 'start', package: 'start', version: 'start', path: 'end' },
  }));
}

/** What is not understood is unknown, and what the package says is shown beside it. */
function licenceText({
  spdx,
  license,
}: {
  readonly spdx: string | null;
  readonly license: string | null;
}): string {
  return spdx ?? (license === null ? 'unknown' : `unknown: ${license}`);
}

function purlType(purl: string): string {
  return purl.slice('pkg:'.length, purl.indexOf('/'));
}

async function printFiles(asked: Asked): Promise<void> {
  const { io, client, options } = asked;
  const files = await all(asked, (query) =>
    call(client, imageFileList, { query: { ...query, in: options.in ?? 'image' } }, io),
  );
  await print(
    io,
    options.output,
    files,
    (): Table => ({
      columns: ['layer', 'mode', 'kind', 'size', 'path'],
      rows: files.map((file) => [
        layerText(asked, file),
        file.mode.toString(8).padStart(4, '0'),
        file.kind,
        file.kind === 'file' ? sizeText(file.sizeBytes) : null,
        `/${file.path}`,
      ]),
      shorten: { path: 'end' },
    }),
  );
}

async function printSecrets(asked: Asked): Promise<void> {
  const { io, client, options } = asked;
  const own = options.kind === undefined ? {} : { kind: options.kind };
  const secrets = await all(asked, (query) =>
    call(client, imageSecretList, { query: { ...query, ...own, in: options.in ?? 'layer' } }, io),
  );
  await print(
    io,
    options.output,
    secrets,
    (): Table => ({
      columns: ['kind', 'layer', 'path', 'line', 'fingerprint'],
      rows: secrets.map(({ kind, layer, path, line, fingerprint, shown }) => [
        kind,
        layer === null ? 'config' : layerText(asked, { layer, shown }),
        layer === null ? path : `/${path}`,
        line,
        fingerprint.slice(0, 14),
      ]),
      shorten: { path: 'end' },
    }),
  );
}

/** Its number from the base up, with a remark where the image hides what it has. */
function layerText({ image }: Asked, found: { readonly layer: string; readonly shown: boolean }): string {
  const at = image.layers.findIndex(({ digest }) => digest === found.layer);
  return `${at === -1 ? '?' : at + 1}${found.shown ? '' : ' hidden'}`;
}

interface ListQuery {
  readonly reference: string;
  readonly layer?: string;
  readonly path?: string;
  readonly after?: string;
  readonly limit: number;
}

/** All pages of one list. */
async function all<T>(
  { image, options }: Asked,
  page: (query: ListQuery) => Promise<{ items: readonly T[]; next: string | null }>,
): Promise<T[]> {
  const { layer, path } = options;
  const query: ListQuery = {
    reference: `${image.repository}@${image.digest}`,
    limit: limits.inventoryPageMax,
    ...(layer === undefined ? {} : { layer: layerDigest(image, layer) }),
    ...(path === undefined ? {} : { path }),
  };
  const found: T[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const { items, next } = await page(after === undefined ? query : { ...query, after });
    for (const item of items) found.push(item);
    after = next;
  }
  return found;
}

/** @throws invalid */
function layerDigest({ layers }: ShownImage, asked: string): string {
  // So few digits are a number: whether they also start a digest would be chance.
  const numbered = /^\d{1,3}$/.test(asked);
  const hex = asked.replace(/^sha256:/, '');
  const [found, another] = numbered
    ? layers.slice(Number(asked) - 1, Number(asked))
    : layers.filter(({ digest }) => digest.slice('sha256:'.length).startsWith(hex));
  if (found && !another) return found.digest;
  const message = `the image has ${found ? 'several layers' : 'no layer'} ${asked}; it has ${layers.length}`;
  throw new LazaretError('invalid', message, { detail: { path: 'layer' } });
}
