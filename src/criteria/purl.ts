import { PackageURL } from 'packageurl-js';
import { LazaretError } from '../lib/errors.ts';

const distributionTypes: readonly string[] = ['deb', 'apk', 'rpm'];

/** A package as people name it (purl), turned into the words that inventories and advisories use. */
export interface PackageName {
  /** The purl's type: `npm`, `deb`. */
  readonly type: string;
  /** Of a distribution's package: whose it is, if the purl says so. */
  readonly distribution: string | undefined;
  /** As advisories of the ecosystem name it: `@scope/name`, `group:artifact`, `github.com/a/b`. */
  readonly name: string;
  readonly version: string | undefined;
}

/** @throws invalid */
export function parsePackageName(purl: string): PackageName {
  let parsed: PackageURL;
  try {
    parsed = PackageURL.fromString(purl);
  } catch (cause) {
    throw new LazaretError('invalid', `'${purl}' is no package URL`, { cause, detail: { path: 'purl' } });
  }
  const { type, name, version } = parsed;
  const namespace = parsed.namespace ?? undefined;
  return {
    type,
    distribution: distributionTypes.includes(type) ? namespace : undefined,
    name: advisoryName(type, namespace, name),
    version: version ?? undefined,
  };
}

/** PyPI takes `Zope.Interface`, `zope_interface` and `zope-interface` for one name (PEP 503). */
export function pypiName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

function advisoryName(type: string, namespace: string | undefined, name: string): string {
  if (distributionTypes.includes(type)) return name;
  switch (type) {
    case 'pypi':
      return pypiName(name);
    case 'maven':
      return namespace ? `${namespace}:${name}` : name;
    default:
      return namespace ? `${namespace}/${name}` : name;
  }
}
