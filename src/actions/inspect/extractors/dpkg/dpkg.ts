import { PackageURL } from 'packageurl-js';
import { ofRelease } from '../../../../versions/distributions.ts';
import type { Extracted, ExtractedPackage, Extractor } from '../../extractor.ts';
import { textOf } from '../../file-content.ts';
import { type DpkgPackage, parseStatusFile } from './status-file.ts';

const statusPath = 'var/lib/dpkg/status';
/** Where images without a package manager keep one file per package. */
const statusFolder = 'var/lib/dpkg/status.d/';

/**
 * Packages of a dpkg database: those that `dpkg-query -W` lists, without those that are removed and have only their
 * configuration left (`config-files`).
 */
export const dpkg: Extractor = {
  name: 'dpkg',
  version: 1,
  wants: ({ path }) => path === statusPath || isSinglePackage(path),
  extract: ({ path }, content) => extract(textOf(content), isSinglePackage(path)),
  complete: ofRelease,
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
    purl: new PackageURL('deb', null, name, version, qualifiers, null).toString(),
    ecosystem: '',
    name,
    version,
    sourceName,
    sourceVersion,
  };
}
