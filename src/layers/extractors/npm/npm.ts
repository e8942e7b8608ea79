import { PackageURL } from 'packageurl-js';
import { ContentProblem } from '../../../lib/content-problem.ts';
import { isRecord } from '../../../lib/fields.ts';
import type { EntryHeader, Extracted, ExtractedPackage, Extractor, FileContent } from '../../extractor.ts';
import { jsonObjectOf } from '../json-object.ts';

/**
 * A package lies directly at `node_modules/NAME/` or `node_modules/@SCOPE/NAME/`, and one that only it uses in a
 * `node_modules` of its own, and so on. What else lies in a package, its tests' fixtures for example, is installed by
 * nobody. pnpm and bun keep the packages in a folder with a dot. Before the first `node_modules` there may be any folders.
 */
const packageFolder = /^(?:@[^/]+\/)?[^/.@][^/]*$/;
const storedPackage = /^\.[^/]+\/[^/]+$/;

function isInstalled(path: string): boolean {
  const places = `/${path.slice(0, -'/package.json'.length)}`.split('/node_modules/');
  return (
    places.length > 1 &&
    packageFolder.test(places.at(-1) ?? '') &&
    places.slice(1, -1).every((place) => packageFolder.test(place) || storedPackage.test(place))
  );
}

/**
 * pnpm's store has each file under its hash, bun's cache a folder for each package; both make hard links of them in
 * `node_modules`, and a layer's archive has the content where the first of the paths is.
 */
const pnpmFile = /\/v\d+\/files\/[0-9a-f]{2}\/[0-9a-f]{126}$/;
const bunFile = /(?:^|\/)install\/cache\/(?:@[^/]+\/)?[^/]+@[^/]*\/package\.json$/;
const storedBytesMax = 256 * 1024;

function isStored({ path, kind, sizeBytes }: EntryHeader): boolean {
  if (kind !== 'file' || sizeBytes > storedBytesMax) return false;
  // The slash before the hash is looked at first: this is asked for every file.
  return path.at(-127) === '/' ? pnpmFile.test(path) : path.endsWith('/package.json') && bunFile.test(path);
}

/**
 * Packages that npm, yarn, pnpm or bun installed: what lies in `node_modules`, not what a lock file wishes for, nor what a
 * store keeps and nobody has linked.
 */
export const npm: Extractor = {
  name: 'npm',
  version: 2,
  wants: (entry) => (entry.path.endsWith('/package.json') && isInstalled(entry.path)) || isStored(entry),
  extract: (entry, content) =>
    isStored(entry) && !isInstalled(entry.path)
      ? storedContent(content)
      : parsePackageJson(jsonObjectOf(content)),
};

/** Most of a store is no package.json. */
function storedContent(content: FileContent): Extracted {
  if (content.read(0, 1)[0] !== openBrace) return {};
  try {
    return { linked: parsePackageJson(jsonObjectOf(content)) };
  } catch (error) {
    if (!(error instanceof ContentProblem)) throw error;
    return { linked: { problem: error.message } };
  }
}

const openBrace = 0x7b;

/** A package.json without name or version is legal and names no package: nothing is found in it. */
export function parsePackageJson(value: Readonly<Record<string, unknown>>): Extracted {
  const { name, version } = value;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return {};
  const license = licenseOf(value);
  const found: ExtractedPackage = {
    purl: npmPurl(name, version),
    ecosystem: 'npm',
    name,
    version,
    ...(license === undefined ? {} : { license }),
  };
  return { packages: [found] };
}

function npmPurl(name: string, version: string): string {
  const slash = name.startsWith('@') ? name.indexOf('/') : -1;
  const [namespace, base] = slash === -1 ? [null, name] : [name.slice(0, slash), name.slice(slash + 1)];
  return new PackageURL('npm', namespace, base, version, null, null).toString();
}

/** `license` as a string, the older `{type}`, or the oldest, `licenses: [{type}]`, any of which may be chosen. */
function licenseOf(value: Readonly<Record<string, unknown>>): string | undefined {
  const named = licenseName(value.license);
  if (named !== undefined || !Array.isArray(value.licenses)) return named;
  const names = value.licenses.map(licenseName).filter((name) => name !== undefined);
  return names.length === 0 ? undefined : names.join(' OR ');
}

function licenseName(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return isRecord(value) && typeof value.type === 'string' && value.type !== '' ? value.type : undefined;
}
