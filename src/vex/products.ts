import { PackageURL } from 'packageurl-js';
import type { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { parseRepositoryName } from '../oci/reference.ts';

/** What a statement is about, as far as it can be told in an image: an image, a repository, a package, or a package in one. */
export interface VexTarget {
  /** Of the product in the document. */
  readonly path: string;
  /** `sha256:…` of an image or an index. */
  readonly imageDigest: string | null;
  readonly repository: string | null;
  /** Of a package, with or without a version. */
  readonly purl: string | null;
}

export interface VexAddress {
  readonly targets: readonly VexTarget[];
  readonly unaddressed: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * A product: `pkg:oci/shop@sha256:…` (an image, wherever it is), `pkg:oci/shop?repository_url=…/acme/shop` (all images of
 * a repository), each with the packages in it as `subcomponents`; or any other purl, a package wherever it is found.
 */
export function addressOf(product: Field): VexAddress {
  const purl = purlOf(product);
  const subcomponents = product.optionalOrNull('subcomponents')?.items(limits.vexTargetsMax) ?? [];
  const { path } = product;
  if (purl === undefined) return nothing(path, 'has no package URL, as its @id or in identifiers.purl');
  if (purl.type !== 'oci') {
    if (subcomponents.length > 0)
      return nothing(path, 'is a package with subcomponents: what is in what package is not known');
    return { targets: [{ path, ...anywhere, purl: purl.toString() }], unaddressed: [] };
  }
  const image = imageOf(purl);
  if (image === undefined)
    return nothing(path, 'names no digest, and no repository_url that ends with its name; a tag may move');
  if (subcomponents.length === 0) return { targets: [{ path, ...image, purl: null }], unaddressed: [] };
  const parts = subcomponents.map((part) => packageIn(part, image));
  return {
    targets: parts.flatMap(({ targets }) => targets),
    unaddressed: parts.flatMap(({ unaddressed }) => unaddressed),
  };
}

const anywhere = { imageDigest: null, repository: null } as const;

function packageIn(part: Field, image: Omit<VexTarget, 'path' | 'purl'>): VexAddress {
  const purl = purlOf(part);
  if (purl === undefined) return nothing(part.path, 'has no package URL, as its @id or in identifiers.purl');
  return { targets: [{ path: part.path, ...image, purl: purl.toString() }], unaddressed: [] };
}

function nothing(path: string, reason: string): VexAddress {
  return { targets: [], unaddressed: [{ path, reason }] };
}

/** A repository_url says where else the image may be; the digest says which it is. */
function imageOf({ name, version, qualifiers }: PackageURL): Omit<VexTarget, 'path' | 'purl'> | undefined {
  if (typeof version === 'string' && /^sha256:[0-9a-f]{64}$/.test(version))
    return { imageDigest: version, repository: null };
  const url = qualifiers?.repository_url;
  if (version || qualifiers?.tag !== undefined || typeof url !== 'string') return undefined;
  const repository = repositoryOf(url);
  // Some write the folder only, which may be another repository here.
  if (repository === undefined || repository.split('/').at(-1) !== name) return undefined;
  return { imageDigest: null, repository };
}

/** Without the registry: a part with a dot or a port, or `localhost`. */
function repositoryOf(url: string): string | undefined {
  const path = url.replace(/^https?:\/\//, '').replace(/^[^/]*[.:][^/]*\/|^localhost\//, '');
  try {
    return parseRepositoryName(path).name;
  } catch {
    return undefined;
  }
}

function purlOf(component: Field): PackageURL | undefined {
  const purl = component.optionalOrNull('identifiers')?.optionalOrNull('purl') ?? component.optional('@id');
  const text = purl?.text(limits.packageNameLengthMax);
  return text === undefined ? undefined : packageUrl(text);
}

/** @returns undefined for what is none */
function packageUrl(text: string): PackageURL | undefined {
  if (!text.startsWith('pkg:')) return undefined;
  try {
    return PackageURL.fromString(text);
  } catch {
    return undefined;
  }
}
