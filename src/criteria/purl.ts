import { PackageURL } from 'packageurl-js';
import { LazaretError } from '../lib/errors.ts';

/** A package as people name it (purl), turned into the words that inventories and advisories use. */
export interface PackageName {
  /** The purl's type: `npm`, `deb`. */
  readonly type: string;
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
  const { type, namespace, name, version } = parsed;
  return { type, name: advisoryName(type, namespace ?? undefined, name), version: version ?? undefined };
}

function advisoryName(type: string, namespace: string | undefined, name: string): string {
  switch (type) {
    case 'deb':
    case 'apk':
    case 'rpm':
      return name;
    case 'maven':
      return namespace ? `${namespace}:${name}` : name;
    default:
      return namespace ? `${namespace}/${name}` : name;
  }
}
