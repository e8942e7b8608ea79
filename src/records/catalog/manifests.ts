import type { Insertable } from 'kysely';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import type { Tx } from '../db/database.ts';
import { chunked, locked, type Reader } from '../db/engine.ts';
import type { EdgeTable, ManifestTable } from '../db/tables/catalog.ts';
import { edgesRename } from './arrivals.ts';
import { digestColumn } from './blobs.ts';
import type { Repository } from './repositories.ts';

/**
 * Manifests: their bytes as they were pushed, once, whatever repositories have them; what each needs (edges); and where
 * each is in service. A push locks the manifest's row, as the collector does before it takes one out.
 */
export type TagOrDigest = { readonly tag: string } | { readonly digest: Digest };

/** A manifest as one repository has it. */
export interface RepositoryManifest {
  readonly id: number;
  readonly digest: string;
  /** By the digest that was asked with, or that the tag was pushed with. */
  readonly named: string;
  readonly kind: ManifestTable['kind'];
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly repository: Pick<Repository, 'id' | 'name' | 'account'>;
  readonly deletedAt: number | null;
  readonly withdrawnAt: number | null;
}

/** Also if it is deleted or withdrawn. */
export async function manifestInRepository(
  db: Reader,
  { repository, reference }: { repository: string; reference: TagOrDigest },
): Promise<RepositoryManifest | undefined> {
  const base = db
    .selectFrom('repositories')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .innerJoin('repository_manifests', 'repository_manifests.repository_id', 'repositories.id')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .select([
      'manifests.id',
      'manifests.digest',
      'manifests.digest_sha512',
      'manifests.kind',
      'manifests.media_type',
      'manifests.size_bytes',
    ])
    .select(['repositories.id as repository_id', 'repositories.name', 'accounts.name as account'])
    .select(['repository_manifests.deleted_at', 'repository_manifests.withdrawn_at'])
    .where('repositories.name', '=', repository);
  const row = await ('tag' in reference
    ? base
        .innerJoin('tags', (join) =>
          join
            .onRef('tags.repository_id', '=', 'repositories.id')
            .onRef('tags.manifest_id', '=', 'manifests.id'),
        )
        .select('tags.algorithm')
        .where('tags.name', '=', reference.tag)
    : base
        .select((e) => e.val(digestAlgorithm(reference.digest)).as('algorithm'))
        .where(digestColumn(reference.digest), '=', reference.digest)
  ).executeTakeFirst();
  return (
    row && {
      id: row.id,
      digest: row.digest,
      named: row.algorithm === 'sha512' ? (row.digest_sha512 ?? row.digest) : row.digest,
      kind: row.kind,
      mediaType: row.media_type,
      sizeBytes: row.size_bytes,
      repository: { id: row.repository_id, name: row.name, account: row.account },
      deletedAt: row.deleted_at,
      withdrawnAt: row.withdrawn_at,
    }
  );
}

export async function manifestBody(db: Reader, manifestId: number): Promise<Uint8Array | undefined> {
  const row = await db.selectFrom('manifests').select('body').where('id', '=', manifestId).executeTakeFirst();
  return row?.body;
}

export interface NewManifest {
  readonly digest: Digest;
  readonly sha512: Digest | undefined;
  readonly kind: ManifestTable['kind'];
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  /** `linux/arm64/v8` */
  readonly platform: string | undefined;
  readonly body: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
  readonly edges: readonly NewEdge[];
}

export interface NewEdge {
  readonly kind: EdgeTable['kind'];
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly diffId?: string | undefined;
}

/** Keeps the content if it is new, and locks its row. @returns its id */
export async function manifestKeep(tx: Tx, manifest: NewManifest): Promise<number> {
  const annotations =
    Object.keys(manifest.annotations).length > 0 ? JSON.stringify(manifest.annotations) : null;
  const inserted = await tx.db
    .insertInto('manifests')
    .values({
      digest: manifest.digest,
      digest_sha512: manifest.sha512 ?? null,
      kind: manifest.kind,
      media_type: manifest.mediaType,
      artifact_type: manifest.artifactType ?? null,
      platform: manifest.platform ?? null,
      size_bytes: manifest.body.byteLength,
      body: Buffer.from(manifest.body),
      annotations,
      created_at: tx.nowMs,
    })
    .onConflict((c) => c.column('digest').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (manifest.sha512) await edgesRename(tx, { sha512: manifest.sha512, sha256: manifest.digest });
  if (inserted) {
    await edgesKeep(tx, inserted.id, manifest.edges);
    return inserted.id;
  }
  const query = tx.db
    .selectFrom('manifests')
    .select(['id', 'digest_sha512'])
    .where('digest', '=', manifest.digest);
  const row = await locked(tx.engine, query).executeTakeFirst();
  // The collector has just taken the last one out.
  if (!row) return manifestKeep(tx, manifest);
  if (manifest.sha512 && row.digest_sha512 === null)
    await tx.db
      .updateTable('manifests')
      .set({ digest_sha512: manifest.sha512 })
      .where('id', '=', row.id)
      .execute();
  return row.id;
}

async function edgesKeep(tx: Tx, manifestId: number, edges: readonly NewEdge[]): Promise<void> {
  const positions = new Map<string, number>();
  const rows = edges.map((edge): Insertable<EdgeTable> => {
    const position = positions.get(edge.kind) ?? 0;
    positions.set(edge.kind, position + 1);
    return {
      manifest_id: manifestId,
      kind: edge.kind,
      position,
      digest: edge.digest,
      media_type: edge.mediaType,
      size_bytes: edge.sizeBytes,
      diff_id: edge.diffId ?? null,
    };
  });
  for (const chunk of chunked(rows))
    await tx.db
      .insertInto('edges')
      .values([...chunk])
      .execute();
}

/** In service from now on, also if it was deleted or withdrawn before. */
export async function repositoryManifestKeep(
  tx: Tx,
  kept: { repositoryId: number; manifestId: number; actor: string },
): Promise<void> {
  const service = {
    pushed_at: tx.nowMs,
    pushed_by: kept.actor,
    ...notDeleted,
    withdrawn_at: null,
  };
  await tx.db
    .insertInto('repository_manifests')
    .values({
      repository_id: kept.repositoryId,
      manifest_id: kept.manifestId,
      last_pulled_at: null,
      ...service,
    })
    .onConflict((c) => c.columns(['repository_id', 'manifest_id']).doUpdateSet(service))
    .execute();
}

/** What the row of a manifest says that was not deleted, or is not any more. */
export const notDeleted = {
  deleted_at: null,
  deleted_by: null,
  deleted_cause: null,
  deleted_with: null,
} as const;

/**
 * Locks their rows, as a push of them does and the collector, always in the same order.
 * @returns those that are here still, in that order
 */
export function manifestsLocked(
  tx: Tx,
  manifestIds: readonly number[],
): Promise<{ id: number; digest: string }[]> {
  if (manifestIds.length === 0) return Promise.resolve([]);
  const query = tx.db
    .selectFrom('manifests')
    .select(['id', 'digest'])
    .where('id', 'in', [...manifestIds])
    .orderBy('id');
  return locked(tx.engine, query).execute();
}

/** @returns false if it was deleted already */
export async function repositoryManifestDelete(
  tx: Tx,
  deletion: {
    repositoryId: number;
    manifestId: number;
    actor: string;
    cause: string | null;
    /** The subject that it goes with. */
    withId: number | null;
  },
): Promise<boolean> {
  const result = await tx.db
    .updateTable('repository_manifests')
    .set({
      deleted_at: tx.nowMs,
      deleted_by: deletion.actor,
      deleted_cause: deletion.cause,
      deleted_with: deletion.withId,
    })
    .where('repository_id', '=', deletion.repositoryId)
    .where('manifest_id', '=', deletion.manifestId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0;
}
