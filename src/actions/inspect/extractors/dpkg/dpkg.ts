import { PackageURL } from 'packageurl-js';
import type { Extracted, ExtractedPackage, Extractor } from '../../extractor.ts';
import { textOf } from '../../file-content.ts';
import type { FoundPackage, OsRelease } from '../../inventory.ts';
import { type DpkgPackage, parseStatusFile } from './status-file.ts';

const statusPath = 'var/lib/dpkg/status';
/** Where images without a package manager keep one file per package. */
const statusFolder = 'var/lib/dpkg/status.d/';

const defaultDistribution = 'debian';
/** OSV's names. Its records of derivatives are those of the distribution itself, under other versions: not claimed. */
const ecosystems: Readonly<Record<string, string>> = { debian: 'Debian', ubuntu: 'Ubuntu' };

/**
 * Packages of a dpkg database: those that `dpkg-query -W` lists, without those that are removed and have only their
 * configuration left (`config-files`).
 *
 * A purl needs the distribution, which is in os-release: of the same layer if it has one (base layers do), else
 * `debian`. The release (`Debian:12`) is known only where all layers are seen together.
 */
export const dpkg: Extractor = {
  name: 'dpkg',
  version: 1,
  wants: ({ path }) => path === statusPath || isSinglePackage(path),
  extract: ({ path }, content) => extract(textOf(content), isSinglePackage(path)),
  complete: (found, os) => ofDistribution(found, os),
};

function isSinglePackage(path: string): boolean {
  return (
    path.startsWith(statusFolder) && !path.endsWith('.md5sums') && !path.includes('/', statusFolder.length)
  );
}

function extract(text: string, singlePackage: boolean): Extracted {
  const { packages, problem } = parseStatusFile(text);
  const found = packages.filter(({ state }) => isInstalled(state, singlePackage)).map(foundPackage);
  return { packages: found, ...(problem === undefined ? {} : { problem }) };
}

/** Also what is only half installed has files in the image. In `status.d` there is no status: the file says it all. */
function isInstalled(state: string | undefined, singlePackage: boolean): boolean {
  if (state === undefined) return singlePackage;
  return state !== 'not-installed' && state !== 'config-files';
}

function foundPackage(found: DpkgPackage): ExtractedPackage {
  const { name, version, architecture, sourceName, sourceVersion } = found;
  const qualifiers = architecture === '' ? null : { arch: architecture };
  return {
    purl: new PackageURL('deb', defaultDistribution, name, version, qualifiers, null).toString(),
    ecosystem: ecosystems[defaultDistribution] ?? '',
    name,
    version,
    sourceName,
    sourceVersion,
  };
}

function ofDistribution(found: FoundPackage, os: OsRelease | undefined): FoundPackage {
  if (os === undefined || os.id === defaultDistribution) return found;
  const namespace = `${encodeURIComponent(os.id)}/`;
  const purl = found.purl.replace(`pkg:deb/${defaultDistribution}/`, () => `pkg:deb/${namespace}`);
  return { ...found, purl, ecosystem: ecosystems[os.id] ?? '' };
}
