import type { Digest } from '../../oci/digest.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit, type Reader } from '../db/engine.ts';
import { digestColumn } from './blobs.ts';

/** A manifest whose `subject` is another: a signature, an SBOM, event criteria. */
export interface Referrer {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly artifactType: string | null;
  readonly annotations: Readonly<Record<string, string>>;
}

/** In service in that repository, whether or not the subject is there; sorted by digest, after `after`. */
export async function referrerRows(
  { engine, read }: Pick<Database, 'engine' | 'read'>,
  ask: {
    repository: string;
    subject: Digest;
    artifactType?: string | undefined;
    after: string;
    limit: number;
  },
): Promise<Referrer[]> {
  const order = byCodeUnit(engine, 'manifests.digest');
  let query = read
    .selectFrom('edges')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select(['manifests.digest', 'manifests.media_type', 'manifests.size_bytes'])
    .select(['manifests.artifact_type', 'manifests.annotations'])
    .where('edges.digest', 'in', await namesOf(read, ask.subject))
    .where('edges.kind', '=', 'subject')
    .where('repositories.name', '=', ask.repository)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repository_manifests.withdrawn_at', 'is', null);
  if (ask.artifactType !== undefined) query = query.where('manifests.artifact_type', '=', ask.artifactType);
  if (ask.after !== '') query = query.where(order, '>', ask.after);
  const rows = await query.orderBy(order).limit(ask.limit).execute();
  return rows.map((row) => ({
    digest: row.digest,
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    artifactType: row.artifact_type,
    annotations: row.annotations === null ? {} : JSON.parse(row.annotations),
  }));
}

/** A subject is named by either of its digests. */
async function namesOf(db: Reader, digest: Digest): Promise<string[]> {
  const row = await db
    .selectFrom('manifests')
    .select(['digest', 'digest_sha512'])
    .where(digestColumn(digest), '=', digest)
    .executeTakeFirst();
  return [...new Set([digest, row?.digest, row?.digest_sha512])].filter(
    (name) => name !== undefined && name !== null,
  );
}
