import { PackageURL } from 'packageurl-js';
import { limits } from '../../../lib/limits.ts';
import { goScheme } from '../../../versions/semver.ts';
import type { Extracted, ExtractedPackage, Extractor } from '../../extractor.ts';
import { isExecutable } from '../../formats/executable-file.ts';
import { type GoModule, readGoBuildInfo } from './build-info.ts';

/** No program of Go's is smaller, by far. */
const sizeBytesMin = 4 * 1024;

/**
 * The modules that a Go program was built from, and Go's own library, `stdlib`, under the compiler's version, which is how
 * Go's advisories name it.
 */
export const go: Extractor = {
  name: 'go',
  version: 1,
  fileBytesMax: limits.extractSpoolBytesMax,
  wants: ({ kind, sizeBytes }) => kind === 'file' && sizeBytes >= sizeBytesMin,
  accepts: isExecutable,
  extract: (_entry, content): Extracted => {
    const info = readGoBuildInfo(content, limits);
    if (info === undefined) return {};
    const stdlib = stdlibVersion(info.goVersion);
    const modules = [
      ...(stdlib === undefined ? [] : [{ path: 'stdlib', version: stdlib }]),
      // Built in its own folder it has the version `(devel)`, so that whether a range has it is unknown.
      ...(info.main === undefined ? [] : [info.main]),
      ...info.dependencies,
    ];
    const packages = distinct(modules.filter(isPublished).map(packageOf));
    return stdlib === undefined
      ? { packages, problem: `built by a Go of no released version: '${info.goVersion.slice(0, 100)}'` }
      : { packages };
  },
};

/** A replacement by a folder has no version: its path is no module's. */
function isPublished({ path, version }: GoModule): boolean {
  return version !== '' && !path.startsWith('.') && !path.startsWith('/');
}

function packageOf({ path, version }: GoModule): ExtractedPackage {
  const slash = path.lastIndexOf('/');
  const [namespace, name] = slash === -1 ? [null, path] : [path.slice(0, slash), path.slice(slash + 1)];
  // The library checks versions that begin with `v`, and fails on those it does not like.
  const purl = new PackageURL('golang', namespace, name, null, null, null).toString();
  return { purl: `${purl}@${encodeVersion(version)}`, ecosystem: 'Go', name: path, version };
}

/** purl-spec: percent-encoded but for what packageurl-js leaves as well. */
function encodeVersion(version: string): string {
  return encodeURIComponent(version).replaceAll('%2B', '+').replaceAll('%3A', ':');
}

/** `go1.19.8` → `1.19.8`, `go1.20rc1` → `1.20.0-rc.1`, as Go's advisories order them; with what a vendor adds left out. */
function stdlibVersion(goVersion: string): string | undefined {
  const [, major, minor = '0', patch = '0', stage, number] =
    /^go(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(beta|rc)(\d+))?(?=$|[\s+-])/.exec(goVersion) ?? [];
  if (major === undefined) return undefined;
  const version = `${major}.${minor}.${patch}${stage === undefined ? '' : `-${stage}.${number}`}`;
  return goScheme.isValid(version) ? version : undefined;
}

function distinct(packages: readonly ExtractedPackage[]): ExtractedPackage[] {
  return [...new Map(packages.map((found) => [found.purl, found])).values()];
}
