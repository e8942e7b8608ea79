import { PackageURL } from 'packageurl-js';
import { ofRelease } from '../../../versions/distributions.ts';
import type { ExtractedPackage, Extractor } from '../../extractor.ts';
import { textOf } from '../../file-content.ts';
import { type ApkPackage, parseInstalledFile } from './installed-file.ts';

/** The second is where systems have it whose `lib` is in `usr`. */
const paths: readonly string[] = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];

/** What `apk info -v` lists, also the virtual packages that `apk add --virtual` makes. */
export const apk: Extractor = {
  name: 'apk',
  version: 1,
  wants: ({ path }) => paths.includes(path),
  extract: (_entry, content) => {
    const { packages, ...problem } = parseInstalledFile(textOf(content));
    return { packages: packages.map(foundPackage), ...problem };
  },
  complete: (found, { os }) => ofRelease(found, os),
};

function foundPackage({ name, version, architecture, origin, license }: ApkPackage): ExtractedPackage {
  const qualifiers = architecture === '' ? null : { arch: architecture };
  return {
    purl: new PackageURL('apk', null, name, version, qualifiers, null).toString(),
    ecosystem: '',
    name,
    version,
    sourceName: origin,
    sourceVersion: version,
    ...(license === undefined ? {} : { license }),
  };
}
