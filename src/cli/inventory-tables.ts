import { type Command, Option } from 'commander';
import type {
  imageFileList,
  imageMalwareList,
  imagePackageList,
  imageSecretList,
} from '../contract/inventory-lists.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { LazaretError } from '../lib/errors.ts';
import type { CliIo } from './io.ts';
import { type OutputOptions, print } from './output.ts';
import { sizeText } from './words.ts';

/** What may be asked of an image's contents: one of the lists, and what narrows it. */
export interface InventoryOptions extends OutputOptions {
  readonly packages?: boolean;
  readonly files?: boolean;
  readonly secrets?: boolean;
  readonly licenses?: boolean;
  readonly malware?: boolean;
  readonly signature?: string;
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

export type ListedPackage = RouteAnswer<typeof imagePackageList>['items'][number];
export type ListedFile = RouteAnswer<typeof imageFileList>['items'][number];
export type ListedMalware = RouteAnswer<typeof imageMalwareList>['items'][number];
/** Without a fingerprint where no installation's key is known. */
export type ListedSecret = Omit<RouteAnswer<typeof imageSecretList>['items'][number], 'fingerprint'> & {
  readonly fingerprint: string | null;
};

export interface ListAsk {
  readonly in: 'image' | 'layer';
  /** A digest. */
  readonly layer?: string;
  /** A glob, as all that follow. */
  readonly path?: string;
}

export interface PackagesAsk extends ListAsk {
  readonly name?: string;
  readonly type?: string;
}

/** Where the contents of one image come from. */
export interface InventoryLists {
  /** Digests, from the base up. */
  readonly layers: readonly string[];
  packages(ask: PackagesAsk): Promise<readonly ListedPackage[]>;
  licences(ask: PackagesAsk & { readonly license?: string }): Promise<readonly ListedPackage[]>;
  files(ask: ListAsk): Promise<readonly ListedFile[]>;
  secrets(ask: ListAsk & { readonly kind?: string }): Promise<readonly ListedSecret[]>;
  malware(ask: ListAsk & { readonly signature?: string }): Promise<readonly ListedMalware[]>;
}

interface Asked {
  readonly io: CliIo;
  readonly lists: InventoryLists;
  readonly options: InventoryOptions;
}

export function inventoryOptions(command: Command): void {
  command
    .option('--packages', 'list its packages')
    .option('--files', 'list its files')
    .option('--secrets', 'list where it has secrets')
    .option('--malware', 'list its files that ClamAV knows')
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
    .option('--kind <glob>', "secrets of these kinds: 'aws-*'")
    .option('--signature <glob>', "malware of these signatures: 'Unix.Trojan.*'");
}

/** The list that the options ask for, to be printed. */
export function inventoryListAsked(options: InventoryOptions): ((asked: Asked) => Promise<void>) | undefined {
  if (options.packages) return printPackages;
  if (options.files) return printFiles;
  if (options.licenses) return printLicences;
  if (options.secrets) return printSecrets;
  if (options.malware) return printMalware;
  return undefined;
}

async function printPackages(asked: Asked): Promise<void> {
  const { io, lists, options } = asked;
  const packages = await lists.packages({ ...askOf(asked, 'image'), ...packageFilters(options) });
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

async function printLicences(asked: Asked): Promise<void> {
  const { io, lists, options } = asked;
  const { license } = options;
  const own = { ...packageFilters(options), ...(license === undefined ? {} : { license }) };
  const packages = await lists.licences({ ...askOf(asked, 'image'), ...own });
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

async function printFiles(asked: Asked): Promise<void> {
  const { io, lists, options } = asked;
  const files = await lists.files(askOf(asked, 'image'));
  await print(io, options.output, files, () => ({
    columns: ['layer', 'mode', 'kind', 'size', 'path'],
    rows: files.map((file) => [
      layerText(asked, file),
      file.mode.toString(8).padStart(4, '0'),
      file.kind,
      file.kind === 'file' ? sizeText(file.sizeBytes) : null,
      `/${file.path}`,
    ]),
    shorten: { path: 'end' },
  }));
}

async function printSecrets(asked: Asked): Promise<void> {
  const { io, lists, options } = asked;
  const own = options.kind === undefined ? {} : { kind: options.kind };
  const secrets = await lists.secrets({ ...askOf(asked, 'layer'), ...own });
  await print(io, options.output, secrets, () => ({
    columns: ['kind', 'layer', 'path', 'line', 'fingerprint'],
    rows: secrets.map(({ kind, layer, path, line, fingerprint, shown }) => [
      kind,
      layer === null ? 'config' : layerText(asked, { layer, shown }),
      layer === null ? path : `/${path}`,
      line,
      fingerprint?.slice(0, 14),
    ]),
    shorten: { path: 'end' },
  }));
}

async function printMalware(asked: Asked): Promise<void> {
  const { io, lists, options } = asked;
  const own = options.signature === undefined ? {} : { signature: options.signature };
  const malware = await lists.malware({ ...askOf(asked, 'layer'), ...own });
  await print(io, options.output, malware, () => ({
    columns: ['signature', 'layer', 'path'],
    rows: malware.map((found) => [found.signature, layerText(asked, found), `/${found.path}`]),
    shorten: { signature: 'start', path: 'end' },
  }));
}

function askOf({ lists, options }: Asked, place: 'image' | 'layer'): ListAsk {
  const { layer, path } = options;
  return {
    in: options.in ?? place,
    ...(layer === undefined ? {} : { layer: layerDigest(lists.layers, layer) }),
    ...(path === undefined ? {} : { path }),
  };
}

function packageFilters({ name, type }: InventoryOptions) {
  return { ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }) };
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

/** Its number from the base up, with a remark where the image hides what it has. */
function layerText({ lists }: Asked, found: { readonly layer: string; readonly shown: boolean }): string {
  const at = lists.layers.indexOf(found.layer);
  return `${at === -1 ? '?' : at + 1}${found.shown ? '' : ' hidden'}`;
}

/** @throws invalid */
function layerDigest(layers: readonly string[], asked: string): string {
  // So few digits are a number: whether they also start a digest would be chance.
  const numbered = /^\d{1,3}$/.test(asked);
  const hex = asked.replace(/^sha256:/, '');
  const [found, another] = numbered
    ? layers.slice(Number(asked) - 1, Number(asked))
    : layers.filter((digest) => digest.slice('sha256:'.length).startsWith(hex));
  if (found && !another) return found;
  const message = `the image has ${found ? 'several layers' : 'no layer'} ${asked}; it has ${layers.length}`;
  throw new LazaretError('invalid', message, { detail: { path: 'layer' } });
}
