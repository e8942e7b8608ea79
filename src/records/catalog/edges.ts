import { limits } from '../../lib/limits.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import { isNonDistributable } from '../../oci/media-types.ts';
import type { Tx } from '../db/database.ts';
import { locked, lockedSkipping, type Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import type { BlobTable, EdgeTable } from '../db/tables/catalog.ts';
import { refusalOfManifest } from '../marks/door.ts';
import type { Content } from '../marks/manifest-content.ts';
import type { Repository } from './repositories.ts';

/** Who needs what. */
export interface NamingManifest {
  readonly id: number;
  readonly digest: string;
}

/** Manifests in service in the repository that name `digest` by an edge of one of `kinds`. */
export function manifestsNaming(
  db: Reader,
  {
    repositoryId,
    digest,
    kinds,
  }: { repositoryId: number; digest: string; kinds: readonly EdgeTable['kind'][] },
): Promise<NamingManifest[]> {
  return db
    .selectFrom('edges')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select(['manifests.id', 'manifests.digest'])
    .distinct()
    .where('edges.digest', '=', digest)
    .where('edges.kind', 'in', [...kinds])
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repository_manifests.withdrawn_at', 'is', null)
    .limit(limits.apiPageMax)
    .execute();
}

/** The digests of those among `naming` that are available: in service, and not reached by a mark. */
export async function availableAmong(
  db: Reader,
  repository: Pick<Repository, 'name' | 'account'>,
  naming: readonly NamingManifest[],
): Promise<string[]> {
  const scope = { repository: repository.name, account: repository.account };
  const available: string[] = [];
  for (const manifest of naming)
    if (!(await refusalOfManifest(db, scope, manifest.id))) available.push(manifest.digest);
  return available;
}

/** The manifests that are here, in whatever repository, by each digest that was asked with. */
export async function manifestsKnown(
  db: Reader,
  digests: readonly Digest[],
): Promise<ReadonlyMap<string, NamingManifest>> {
  const known = new Map<string, NamingManifest>();
  for (const [column, algorithm] of [
    ['digest', 'sha256'],
    ['digest_sha512', 'sha512'],
  ] as const) {
    const asked = digests.filter((digest) => digestAlgorithm(digest) === algorithm);
    if (asked.length === 0) continue;
    const rows = await db
      .selectFrom('manifests')
      .select(['id', 'digest', `${column} as asked`])
      .where(column, 'in', asked)
      .execute();
    for (const row of rows) if (row.asked !== null) known.set(row.asked, { id: row.id, digest: row.digest });
  }
  return known;
}

/**
 * All that these manifests need, themselves included, at any depth; a subject is nothing that is needed. With the diff
 * ids that their configs claim and those that inspection found.
 */
export async function contentBelow(db: Reader, manifests: readonly NamingManifest[]): Promise<Content> {
  const digests = new Set<string>();
  const diffIds = new Set<string>();
  const seen = new Set<number>();
  let level = [...manifests];
  for (let depth = 0; level.length > 0 && depth <= limits.indexDepthMax; depth++) {
    const next = new Map<number, NamingManifest>();
    for (const manifest of level) {
      seen.add(manifest.id);
      digests.add(manifest.digest);
    }
    for (const edge of await edgesOf(
      db,
      level.map((manifest) => manifest.id),
    )) {
      digests.add(edge.digest);
      if (edge.diff_id !== null) diffIds.add(edge.diff_id);
      if (edge.found_diff_id !== null) diffIds.add(edge.found_diff_id);
      if (edge.kind === 'child' && edge.child_id !== null && !seen.has(edge.child_id))
        next.set(edge.child_id, { id: edge.child_id, digest: edge.digest });
    }
    level = [...next.values()];
  }
  return { digests: [...digests], diffIds: [...diffIds] };
}

function edgesOf(db: Reader, manifestIds: readonly number[]) {
  return db
    .selectFrom('edges')
    .leftJoin('blobs', 'blobs.digest', 'edges.digest')
    .leftJoin('inspections', 'inspections.blob_id', 'blobs.id')
    .leftJoin('manifests', 'manifests.digest', 'edges.digest')
    .select(['edges.kind', 'edges.digest', 'edges.diff_id'])
    .select(['inspections.diff_id as found_diff_id', 'manifests.id as child_id'])
    .where('edges.manifest_id', 'in', [...manifestIds])
    .where('edges.kind', '!=', 'subject')
    .execute();
}

/** The diff ids that inspection found in these blobs. */
export async function diffIdsFound(db: Reader, blobIds: readonly number[]): Promise<string[]> {
  if (blobIds.length === 0) return [];
  const rows = await inspectedDiffIds(db, { blobIds });
  return rows.map((row) => row.diff_id).filter((diffId) => diffId !== null);
}

const inspectedDiffIds = keptQuery((db, { blobIds }: { blobIds: readonly number[] }) =>
  db
    .selectFrom('inspections')
    .select('diff_id')
    .where('blob_id', 'in', blobIds)
    .where('diff_id', 'is not', null),
);

/** Whether any manifest names it: what is pushed before its manifest is named by none. */
export async function isNamed(db: Reader, digest: string): Promise<boolean> {
  return (await edgesTo(db, { digest })).length > 0;
}

const edgesTo = keptQuery((db, { digest }: { digest: string }) =>
  db.selectFrom('edges').select('digest').where('digest', '=', digest).limit(1),
);

/**
 * Before the row of an uploaded blob is locked: manifests of the repository that were withdrawn for want of it may be in
 * service again soon, so all that they need is locked, in the order of ids like everywhere. While they are withdrawn, the
 * collector and DELETE may take it.
 */
export async function withdrawnNeedsLocked(tx: Tx, repositoryId: number, digest: string): Promise<void> {
  if (!(await isNamed(tx.db, digest))) return;
  const withdrawn = await withdrawnNaming(tx.db, repositoryId, digest).execute();
  if (withdrawn.length > 0) await blobsNeededLocked(tx, idsOf(withdrawn));
}

/**
 * The bytes of a blob are here again, and its row is locked: manifests of the repository that were withdrawn for want of
 * it, and lack nothing else, are in service again. Of two pushes that bring what one manifest needs, the second waits here
 * for the first, and sees what it brought. Nobody is waited for who has a blob: what somebody else has locked is missing.
 */
export async function manifestsRestore(
  tx: Tx,
  repository: Repository,
  digest: string,
): Promise<(NamingManifest & { mediaType: string })[]> {
  const withdrawn = await locked(tx.engine, withdrawnNaming(tx.db, repository.id, digest)).execute();
  if (withdrawn.length === 0) return [];
  const ours = await lockedSkipping(tx.engine, blobsNeeded(tx.db, idsOf(withdrawn))).execute();
  const there = new Set(ours.map((blob) => blob.id));
  const restored = [];
  for (const manifest of withdrawn)
    if (await nothingMissing(tx.db, { repositoryId: repository.id, manifestId: manifest.id, there }))
      restored.push(manifest);
  if (restored.length === 0) return [];
  await tx.db
    .updateTable('repository_manifests')
    .set({ withdrawn_at: null })
    .where('repository_id', '=', repository.id)
    .where('manifest_id', 'in', idsOf(restored))
    .execute();
  return restored;
}

function withdrawnNaming(db: Reader, repositoryId: number, digest: string) {
  return db
    .selectFrom('repository_manifests')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type as mediaType'])
    .where('manifests.id', 'in', (e) =>
      e
        .selectFrom('edges')
        .select('edges.manifest_id')
        .where('edges.digest', '=', digest)
        .where('edges.kind', 'in', ['config', 'layer']),
    )
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.withdrawn_at', 'is not', null)
    .where('repository_manifests.deleted_at', 'is', null)
    .orderBy('manifests.id');
}

/** The blobs that these manifests need and that have rows, which are locked until the transaction ends. */
export function blobsNeededLocked(
  tx: Tx,
  manifestIds: readonly number[],
): Promise<{ id: number; state: BlobTable['state'] }[]> {
  return locked(tx.engine, blobsNeeded(tx.db, manifestIds)).execute();
}

function blobsNeeded(db: Reader, manifestIds: readonly number[]) {
  return db
    .selectFrom('blobs')
    .select(['id', 'state'])
    .where('digest', 'in', (e) =>
      e
        .selectFrom('edges')
        .select('edges.digest')
        .where('edges.manifest_id', 'in', [...manifestIds])
        .where('edges.kind', 'in', ['config', 'layer']),
    )
    .orderBy('id');
}

function idsOf(manifests: readonly NamingManifest[]): number[] {
  return manifests.map((manifest) => manifest.id);
}

/** @param there the blobs that nobody else can take */
async function nothingMissing(
  db: Reader,
  {
    repositoryId,
    manifestId,
    there,
  }: { repositoryId: number; manifestId: number; there: ReadonlySet<number> },
): Promise<boolean> {
  const edges = await db
    .selectFrom('edges')
    .leftJoin('blobs', (join) =>
      join.onRef('blobs.digest', '=', 'edges.digest').on('blobs.state', '=', 'live'),
    )
    .leftJoin('blob_links', (join) =>
      join.onRef('blob_links.blob_id', '=', 'blobs.id').on('blob_links.repository_id', '=', repositoryId),
    )
    .select(['edges.media_type', 'blob_links.blob_id'])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', 'in', ['config', 'layer'])
    .execute();
  return edges.every(
    ({ blob_id: id, media_type: mediaType }) =>
      (id !== null && there.has(id)) || isNonDistributable(mediaType),
  );
}
