import { PackageURL } from 'packageurl-js';
import { limits } from '../../../lib/limits.ts';
import { ofRelease } from '../../../versions/distributions.ts';
import type { EntryHeader, Extracted, ExtractedPackage, Extractor, FileContent } from '../../extractor.ts';
import { textOf } from '../../file-content.ts';
import type { FoundPackage } from '../../inventory.ts';
import { isMachineReadable, parseCopyrightFile } from './copyright-file.ts';
import { type DpkgPackage, parseStatusFile } from './status-file.ts';

const statusPath = 'var/lib/dpkg/status';
/** Where images without a package manager keep one file per package. */
const statusFolder = 'var/lib/dpkg/status.d/';
const copyrightPath = /^usr\/share\/doc\/([^/]+)\/copyright$/;

/**
 * Packages of a dpkg database: those that `dpkg-query -W` lists, without those that are removed and have only their
 * configuration left (`config-files`). Their licences are in files of their own, in the same layer or nowhere.
 */
export const dpkg: Extractor = {
  name: 'dpkg',
  version: 2,
  wants: (entry) => entry.path === statusPath || isSinglePackage(entry.path) || isCopyright(entry),
  extract: ({ path }, content) => {
    const [, name] = copyrightPath.exec(path) ?? [];
    return name === undefined ? extract(textOf(content), isSinglePackage(path)) : stated(name, content);
  },
  complete: (found, { os, licenses }) => ofRelease(withLicence(found, licenses.get(found.name)), os),
};

function isSinglePackage(path: string): boolean {
  return (
    path.startsWith(statusFolder) && !path.endsWith('.md5sums') && !path.includes('/', statusFolder.length)
  );
}

/** Links and what is too large say nothing: a licence that is not known is no failure of reading the database. */
function isCopyright({ path, kind, sizeBytes }: EntryHeader): boolean {
  return kind === 'file' && sizeBytes <= limits.extractFileBytesMax && copyrightPath.test(path);
}

const nothing: Extracted = {};

function stated(name: string, content: FileContent): Extracted {
  const start = Buffer.from(content.read(0, 1_024)).toString('latin1');
  if (!isMachineReadable(start)) return nothing;
  const bytes = content.read(0, limits.copyrightBytesMax);
  const license = parseCopyrightFile(Buffer.from(bytes).toString(), bytes.length === content.sizeBytes);
  return license === undefined ? nothing : { stated: { package: name, license } };
}

function withLicence(found: FoundPackage, license: string | undefined): FoundPackage {
  return license === undefined ? found : { ...found, license };
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
