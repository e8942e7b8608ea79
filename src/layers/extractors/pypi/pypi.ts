import { PackageURL } from 'packageurl-js';
import { pypiName } from '../../../criteria/purl.ts';
import { limits } from '../../../lib/limits.ts';
import type { Extracted, Extractor, FileContent } from '../../extractor.ts';
import { parseMetadata } from './metadata-file.ts';

/** Wheels have `dist-info`, setuptools `egg-info`, zipped eggs that are unpacked `EGG-INFO`, distutils one file. */
const metadataFile =
  /(?:\.dist-info\/METADATA|\.egg-info\/PKG-INFO|(?:^|\/)EGG-INFO\/PKG-INFO|[^/]\.egg-info)$/;
const lastParts: readonly string[] = ['/METADATA', '/PKG-INFO', '.egg-info'];

/**
 * Installed Python packages, as `importlib.metadata` finds them, in whatever folder they are: also copies that a package
 * brings along for itself (`_vendor`). A link to such a file is not looked at, since what it leads to has the same name.
 */
export const pypi: Extractor = {
  name: 'pypi',
  version: 1,
  wants: ({ path, kind }) =>
    kind !== 'link' && lastParts.some((end) => path.endsWith(end)) && metadataFile.test(path),
  extract: (_entry, content) => packageIn(content),
};

function packageIn(content: FileContent): Extracted {
  const head = content.read(0, limits.extractHeadBytesMax);
  const found = parseMetadata(Buffer.from(head).toString('utf8'));
  if (typeof found === 'string') return { problem: found };
  const { version, license } = found;
  const name = pypiName(found.name);
  return {
    packages: [
      {
        purl: new PackageURL('pypi', null, name, version, null, null).toString(),
        ecosystem: 'PyPI',
        name,
        version,
        ...(license === undefined ? {} : { license }),
      },
    ],
  };
}
