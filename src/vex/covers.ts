import { PackageURL } from 'packageurl-js';
import { pypiName } from '../criteria/purl.ts';
import { LazaretError } from '../lib/errors.ts';

/** A package that was found, by its purl. */
export interface FoundPackage {
  readonly purl: string;
  /** Of a distribution's package: what it was built from. */
  readonly sourceName: string | null;
}

/**
 * Whether what is said of one purl holds for a package: type, namespace and name are the same, and so are the version and
 * each qualifier that it has. `arch=source` names a distribution's source package.
 */
export function purlCovers(said: string): (found: FoundPackage) => boolean {
  const { type, namespace, name, version, qualifiers } = PackageURL.fromString(said);
  const wanted = Object.entries(qualifiers ?? {});
  const ofSource = wanted.some(([key, value]) => key === 'arch' && value === 'source');
  const others = wanted.filter(([key, value]) => key !== 'arch' || value !== 'source');
  const named = type === 'pypi' ? pypiName(name) : name;
  return ({ purl, sourceName }) => {
    if (!purl.startsWith(`pkg:${type}/`)) return false;
    const found = purlOrNone(purl);
    if (!found) return false;
    const foundName = ofSource ? (sourceName ?? found.name) : found.name;
    return (
      (type === 'pypi' ? pypiName(foundName) : foundName) === named &&
      (namespace ?? '') === (found.namespace ?? '') &&
      (!version || version === found.version) &&
      others.every(([key, value]) => found.qualifiers?.[key] === value)
    );
  };
}

/** What can't be read is covered by nothing. */
function purlOrNone(text: string): PackageURL | undefined {
  try {
    return PackageURL.fromString(text);
  } catch {
    return undefined;
  }
}

/** @throws invalid for what is none, or an image's */
export function canonicalPurl(text: string, path: string): string {
  let purl: PackageURL;
  try {
    purl = PackageURL.fromString(text);
  } catch (cause) {
    const message = `${path}: '${text.slice(0, 200)}' is not a package URL such as pkg:npm/lodash`;
    throw new LazaretError('invalid', message, { cause, detail: { path } });
  }
  if (purl.type === 'oci')
    throw new LazaretError('invalid', `${path}: names an image; give its digest instead`, {
      detail: { path },
    });
  return purl.toString();
}
