import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { blobsLinked } from '../../records/catalog/blobs.ts';
import { manifestsHere } from '../../records/catalog/children.ts';
import type { Repository } from '../../records/catalog/repositories.ts';
import type { Tx } from '../../records/db/database.ts';
import type { BlobsByDigest } from './named-blobs.ts';

/**
 * What a manifest may name although it is not in its repository. `refuse`: nothing. `index`: an index may lack some of
 * its children, as when only one platform is mirrored. `all`: an image may lack layers, too.
 */
export type Sparse = 'refuse' | 'index' | 'all';
export type SparsePolicy = (repository: string) => Sparse;

export interface SparseRule {
  readonly repositoryGlob: string;
  readonly sparse: Sparse;
}

/** The first that matches decides; `index` where none does. */
export function sparsePolicy(rules: readonly SparseRule[]): SparsePolicy {
  const compiled = rules.map(({ repositoryGlob, sparse }) => ({
    matches: globMatcher(repositoryGlob),
    sparse,
  }));
  return (repository) => compiled.find(({ matches }) => matches(repository))?.sparse ?? 'index';
}

/** @throws manifestBlobUnknown, with `detail.digests`, if a child is neither a manifest nor a blob of the repository */
export async function assertChildrenHere(
  tx: Tx,
  { repository, manifest, blobs }: { repository: Repository; manifest: Manifest; blobs: BlobsByDigest },
): Promise<void> {
  if (manifest.kind !== 'index') return;
  const digests = manifest.manifests.map((child) => child.digest);
  const known = await manifestsHere(tx.db, repository.id, digests);
  const ids = [...blobs.values()].filter((blob) => blob.state === 'live').map((blob) => blob.id);
  const linked = await blobsLinked(tx.db, repository.id, [...new Set(ids)]);
  const missing = digests.filter((digest) => !known.has(digest) && !linked.has(blobs.get(digest)?.id ?? 0));
  const [first] = missing;
  if (first === undefined) return;
  throw new LazaretError('manifestBlobUnknown', `${repository.name} has no manifest ${missing.join(', ')}`, {
    detail: { digest: first, digests: missing },
  });
}
