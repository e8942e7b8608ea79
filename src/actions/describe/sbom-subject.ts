import { createHash } from 'node:crypto';
import { PackageURL } from 'packageurl-js';
import type { ImageContents, PackageInImage } from '../../records/inventory/image-contents.ts';

/** What a bill of materials is of, and who writes it. */
export interface SbomSubject extends ImageContents {
  readonly repository: string;
  /** Of the image's manifest. */
  readonly digest: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** The image itself as a package URL, which names no registry: it is the same image wherever it lies. */
export function imagePurl({ repository, digest, platform }: SbomSubject): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const arch = platform?.split('/')[1];
  return new PackageURL(
    'oci',
    undefined,
    name,
    digest,
    arch === undefined ? undefined : { arch },
    undefined,
  ).toString();
}

/**
 * When the image was made, which stands for when the document was: two documents of one image are then the same bytes.
 * An image that does not say is of 1970.
 */
export function madeAt({ createdAt }: ImageContents): string {
  const year10000 = 253_402_300_800_000;
  const ms = createdAt !== null && createdAt >= 0 && createdAt < year10000 ? createdAt : 0;
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The hash of the package's own file, where the package is a file: an archive that has no other package in it. */
export function ownHash({ purl, places }: PackageInImage): string | undefined {
  if (!purl.startsWith('pkg:maven/')) return undefined;
  const hashes = new Set(places.map(({ path, sha256 }) => (/\.[jwe]ar$/.test(path) ? sha256 : null)));
  const [only] = hashes;
  return hashes.size === 1 && only !== null ? only : undefined;
}

/** A UUID (version 8, RFC 9562) that the same text always gives. */
export function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
