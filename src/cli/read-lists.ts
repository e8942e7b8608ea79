import type { ConfigSecret } from '../layers/config-view.ts';
import type { ImageInventory, InImage } from '../layers/image-inventory.ts';
import { LazaretError } from '../lib/errors.ts';
import { globMatcher } from '../lib/globs.ts';
import { spdxOf } from '../licences/spdx-of.ts';
import type {
  InventoryLists,
  ListAsk,
  ListedFile,
  ListedPackage,
  ListedSecret,
  PackagesAsk,
} from './inventory-tables.ts';

/** The contents of an image that was just read, in the words and the order of a server's lists. */
export function readLists(image: {
  readonly inventory: ImageInventory;
  /** Of its config. */
  readonly secrets: readonly ConfigSecret[];
  /** Digests, from the base up. */
  readonly layers: readonly string[];
}): InventoryLists {
  const { inventory, layers } = image;
  const packages = inventory.packages.map(listedPackage);
  const files = inventory.files.map(listedFile);
  const secrets = [...inventory.secrets.map(listedSecret), ...image.secrets.map(secretOfConfig)];
  return {
    layers,
    packages: async (ask) => inOrder(packages.filter(packageFits(ask)), ({ name, purl }) => [name, purl]),
    licences: async ({ license, ...ask }) => {
      const isNamed = matcher(license);
      const found = packages.filter(packageFits(ask)).filter(({ spdx }) => isNamed(spdx ?? 'unknown'));
      return inOrder(found, ({ spdx, name, purl }) => [spdx ?? '', name, purl]);
    },
    files: async (ask) => {
      const found = inOrder(files.filter(placeFits(ask)), ({ path }) => [path]);
      return ask.in === 'layer'
        ? found
        : found.map((file) => (file.kind === 'opaque' ? { ...file, kind: 'directory' } : file));
    },
    malware: () =>
      Promise.reject(new LazaretError('invalid', 'malware is looked for by a server that has ClamAV')),
    secrets: async ({ kind, ...ask }) => {
      const isKind = matcher(kind);
      return inOrder(
        secrets.filter(placeFits(ask)).filter((found) => isKind(found.kind)),
        ({ path }) => [path],
      );
    },
  };
}

function listedPackage({ found, layer, shown }: InImage<ImageInventory['packages'][number]['found']>) {
  const { purl, ecosystem, name, version, sourceName, sourceVersion, license, path } = found;
  return {
    purl,
    ecosystem,
    name,
    version,
    sourceName: sourceName ?? null,
    sourceVersion: sourceVersion ?? null,
    license: license ?? null,
    spdx: license === undefined ? null : spdxOf(license),
    layer,
    path,
    shown,
  } satisfies ListedPackage;
}

function listedFile({ found, layer, shown }: ImageInventory['files'][number]): ListedFile {
  const { path, kind, sizeBytes, mode, sha256 } = found;
  const hex = sha256 === undefined ? null : Buffer.from(sha256).toString('hex');
  return { path, kind, sizeBytes, mode, sha256: hex, layer, shown };
}

/** The key was this run's own, so the fingerprint would say nothing. */
function listedSecret({ found, layer, shown }: ImageInventory['secrets'][number]): ListedSecret {
  const { kind, path, line } = found;
  return { kind, path, line, fingerprint: null, layer, shown };
}

function secretOfConfig({ kind, place }: ConfigSecret): ListedSecret {
  return { kind, path: place, line: null, fingerprint: null, layer: null, shown: true };
}

interface Placed {
  readonly path: string;
  readonly layer: string | null;
  readonly shown: boolean;
}

function placeFits({ in: place, layer, path }: ListAsk): (found: Placed) => boolean {
  const isThere = matcher(path);
  return (found) =>
    (place === 'layer' || found.shown) &&
    (layer === undefined || found.layer === layer) &&
    isThere(found.path);
}

function packageFits({ name, type, ...ask }: PackagesAsk): (found: ListedPackage) => boolean {
  const isNamed = matcher(name);
  const fits = placeFits(ask);
  return (found) =>
    fits(found) && isNamed(found.name) && (type === undefined || found.purl.startsWith(`pkg:${type}/`));
}

/** @throws invalid */
function matcher(glob: string | undefined): (text: string) => boolean {
  return glob === undefined ? () => true : globMatcher(glob);
}

/** By code unit, as the server's. */
function inOrder<T>(items: readonly T[], keyOf: (item: T) => readonly string[]): T[] {
  return items
    .map((item) => ({ item, key: keyOf(item).join('\t') }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
}
