import { PackageURL } from 'packageurl-js';
import { isRecord } from '../../../lib/fields.ts';
import type { Extracted, ExtractedPackage, Extractor } from '../../extractor.ts';
import { jsonOf } from '../json-object.ts';

const installedFile = 'composer/installed.json';

/** What Composer has installed, by its own list in the folder of what it installs (`vendor`, unless it is called otherwise). */
export const composer: Extractor = {
  name: 'composer',
  version: 1,
  wants: ({ path }) => path.endsWith(`/${installedFile}`),
  extract: (_entry, content) => parseInstalledJson(jsonOf(content)),
};

/** Composer 2 writes an object with a list, Composer 1 the list. */
export function parseInstalledJson(value: unknown): Extracted {
  const list = isRecord(value) ? value.packages : value;
  if (!Array.isArray(list)) return { problem: 'it has no list of packages' };
  const packages = list.map(packageOf);
  const found = packages.filter((one) => one !== undefined);
  const nameless = packages.length - found.length;
  return {
    packages: found,
    ...(nameless === 0 ? {} : { problem: `${nameless} packages have no name or no version` }),
  };
}

function packageOf(item: unknown): ExtractedPackage | undefined {
  const { name, version, license } = isRecord(item) ? item : {};
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '')
    return undefined;
  // Packagist folds the case of names, and so do its advisories.
  const folded = name.toLowerCase();
  const slash = folded.indexOf('/');
  const [vendor, base] = slash === -1 ? [null, folded] : [folded.slice(0, slash), folded.slice(slash + 1)];
  const licenses = Array.isArray(license)
    ? license.filter((one) => typeof one === 'string' && one !== '')
    : [];
  return {
    purl: new PackageURL('composer', vendor, base, version, null, null).toString(),
    ecosystem: 'Packagist',
    name: folded,
    version,
    // Of several licences any may be chosen (getcomposer.org, "The composer.json schema").
    ...(licenses.length === 0 ? {} : { license: licenses.join(' OR ') }),
  };
}
