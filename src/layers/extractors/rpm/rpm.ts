import { PackageURL } from 'packageurl-js';
import { ContentProblem } from '../../../lib/content-problem.ts';
import { limits } from '../../../lib/limits.ts';
import { ofRelease } from '../../../versions/distributions.ts';
import type { Extracted, ExtractedPackage, Extractor, FileContent } from '../../extractor.ts';
import { berkeleyHeaders } from './berkeley.ts';
import { BrokenDatabase, type HeaderReader } from './header-reader.ts';
import { parseManifest } from './manifest-file.ts';
import { ndbHeaders } from './ndb.ts';
import { parseRpmHeader, type RpmHeader } from './rpm-header.ts';
import { sqliteHeaders } from './sqlite.ts';

const folders = ['var/lib/rpm/', 'usr/lib/sysimage/rpm/', 'usr/share/rpm/'] as const;
const databases: ReadonlyMap<string, HeaderReader> = new Map([
  ['Packages', berkeleyHeaders],
  ['Packages.db', ndbHeaders],
  ['rpmdb.sqlite', sqliteHeaders],
]);
const writeAheadLog = 'rpmdb.sqlite-wal';
const manifest = 'var/lib/rpmmanifest/container-manifest-2';

/**
 * What `rpm -qa` lists, without the keys that rpm keeps among its packages (`gpg-pubkey`): they are no software, and no
 * advisory names them.
 */
export const rpm: Extractor = {
  name: 'rpm',
  version: 2,
  fileBytesMax: limits.rpmDatabaseBytesMax,
  wants: ({ path, sizeBytes }) => {
    if (path === manifest) return true;
    const name = nameInFolder(path);
    return name !== undefined && (databases.has(name) || (name === writeAheadLog && sizeBytes > 0));
  },
  extract: ({ path }, content) => {
    if (path === manifest) return packagesOf(manifestLines(content));
    const headers = databases.get(nameInFolder(path) ?? '');
    if (headers === undefined)
      return { problem: 'changes that are not in the database yet, and are not read' };
    // rpm makes the file before it writes to it.
    return content.sizeBytes === 0 ? {} : packagesOf(headersIn(headers(content)));
  },
  complete: (found, { os }) => ofRelease(found, os),
};

function nameInFolder(path: string): string | undefined {
  const folder = folders.find((one) => path.startsWith(one));
  return folder && path.slice(folder.length);
}

function manifestLines(content: FileContent): (RpmHeader | string)[] {
  if (content.sizeBytes > limits.extractHeadBytesMax)
    throw new ContentProblem(
      `a list of ${content.sizeBytes} bytes; at most ${limits.extractHeadBytesMax} are read`,
    );
  return parseManifest(Buffer.from(content.all()).toString('utf8'));
}

function* headersIn(blobs: Iterable<Uint8Array>): Generator<RpmHeader | string> {
  for (const blob of blobs) yield parseRpmHeader(blob);
}

/** What is found before the database turns out to be broken stays. */
function packagesOf(headers: Iterable<RpmHeader | string>): Extracted {
  const packages: ExtractedPackage[] = [];
  let problem: string | undefined;
  let count = 0;
  try {
    for (const header of headers) {
      count += 1;
      if (count > limits.layerPackagesMax)
        throw new BrokenDatabase(`more than ${limits.layerPackagesMax} headers`);
      if (typeof header === 'string') problem ??= header;
      else if (header.name !== 'gpg-pubkey') packages.push(foundPackage(header));
    }
  } catch (error) {
    if (!(error instanceof BrokenDatabase || error instanceof ContentProblem)) throw error;
    problem ??= error.message;
  }
  return { packages, ...(problem === undefined ? {} : { problem }) };
}

/** In a purl the epoch is a qualifier; advisories write it before the version. */
function foundPackage(header: RpmHeader): ExtractedPackage {
  const { name, epoch, architecture, sourceFile, license } = header;
  const version = `${header.version}-${header.release}`;
  const qualifiers = {
    ...(architecture === undefined ? {} : { arch: architecture }),
    ...(epoch === 0 ? {} : { epoch: `${epoch}` }),
  };
  return {
    purl: new PackageURL('rpm', null, name, version, qualifiers, null).toString(),
    ecosystem: '',
    name,
    version: withEpoch(epoch, version),
    ...sourceOf(sourceFile, epoch),
    ...(license === undefined ? {} : { license }),
  };
}

/** `openssl` and `1:3.0.1-23.el9_0` of `openssl-3.0.1-23.el9_0.src.rpm`; the source's epoch is taken to be the package's. */
function sourceOf(file: string | undefined, epoch: number) {
  const match = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '');
  if (match?.[1] === undefined || match[2] === undefined) return {};
  return { sourceName: match[1], sourceVersion: withEpoch(epoch, match[2]) };
}

/** No epoch and epoch 0 are the same to rpm. */
function withEpoch(epoch: number, version: string): string {
  return epoch === 0 ? version : `${epoch}:${version}`;
}
