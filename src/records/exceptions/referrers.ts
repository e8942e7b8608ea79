/** OpenVEX documents that came as referrers of an image: who wants them read, what they are, and which of them are gone. */
import { sql } from 'kysely';
import { openVexMediaType } from '../../vex/openvex.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { jobEnqueue } from '../jobs/jobs.ts';
import { type Exception, exceptionOf } from './exceptions.ts';

export const vexJob = 'vex';

/** A referrer in a repository. */
export interface VexReferrerName {
  readonly repository: string;
  readonly digest: string;
}

/** Of manifests that came into service in a repository: those that are OpenVEX of some subject are to be read. */
export async function vexReferrersWant(
  tx: Tx,
  repository: string,
  manifestIds: readonly number[],
): Promise<void> {
  const found = await tx.db
    .selectFrom('manifests')
    .innerJoin('edges', 'edges.manifest_id', 'manifests.id')
    .select('manifests.digest')
    .where('manifests.id', 'in', manifestIds)
    .where('edges.kind', '=', 'subject')
    .where((e) =>
      e.or([
        e('manifests.artifact_type', '=', openVexMediaType),
        e.exists(
          e
            .selectFrom('edges as layers')
            .select('layers.digest')
            .whereRef('layers.manifest_id', '=', 'manifests.id')
            .where('layers.kind', '=', 'layer')
            .where('layers.media_type', '=', openVexMediaType),
        ),
      ]),
    )
    .execute();
  for (const { digest } of found)
    await jobEnqueue(tx, { kind: vexJob, key: `${repository}@${digest}`, payload: {} });
}

export interface VexReferrer {
  readonly repository: { readonly name: string; readonly account: string };
  readonly digest: string;
  /** The image or index that it is about. */
  readonly subject: string;
  /** Of an index that is here. */
  readonly children: readonly string[];
  /** The documents; null: its bytes are not here. */
  readonly documents: readonly { readonly digest: string; readonly storageKey: string | null }[];
}

/** @returns undefined if it is not in service (any more) */
export async function vexReferrer(db: Reader, name: VexReferrerName): Promise<VexReferrer | undefined> {
  const found = await db
    .selectFrom('manifests')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .innerJoin('edges', 'edges.manifest_id', 'manifests.id')
    .select(['manifests.id', 'accounts.name as account', 'edges.digest as subject'])
    .where('manifests.digest', '=', name.digest)
    .where('repositories.name', '=', name.repository)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('edges.kind', '=', 'subject')
    .executeTakeFirst();
  if (!found) return undefined;
  const { id, account, subject } = found;
  const repository = { name: name.repository, account };
  const children = await childrenOf(db, subject);
  return { repository, digest: name.digest, subject, children, documents: await documentsOf(db, id) };
}

async function childrenOf(db: Reader, digest: string): Promise<string[]> {
  const rows = await db
    .selectFrom('manifests')
    .innerJoin('edges', 'edges.manifest_id', 'manifests.id')
    .select('edges.digest')
    .where('manifests.digest', '=', digest)
    .where('edges.kind', '=', 'child')
    .execute();
  return rows.map((row) => row.digest);
}

/** The layers of its type, else the first. */
async function documentsOf(db: Reader, manifestId: number): Promise<VexReferrer['documents']> {
  const layers = await db
    .selectFrom('edges')
    .leftJoin('blobs', (join) =>
      join.onRef('blobs.digest', '=', 'edges.digest').on('blobs.state', '=', 'live'),
    )
    .select(['edges.digest', 'edges.media_type as mediaType', 'blobs.storage_key as storageKey'])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '=', 'layer')
    .orderBy('edges.position')
    .execute();
  const typed = layers.filter(({ mediaType }) => mediaType === openVexMediaType);
  const documents = typed.length > 0 ? typed : layers.slice(0, 1);
  return documents.map(({ digest, storageKey }) => ({ digest, storageKey }));
}

/** All that it has ever proposed. */
export async function exceptionsOfReferrer(
  db: Reader,
  { repository, digest }: VexReferrerName,
): Promise<Exception[]> {
  const rows = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('source_manifest', '=', digest)
    .where('repository_glob', '=', repository)
    .execute();
  return rows.map(exceptionOf);
}

/** Of proposals whose referrer is not in service any more, the referrers. */
export async function vexReferrersGone(database: Database, limit: number): Promise<VexReferrerName[]> {
  return database.search(
    sql<VexReferrerName>`select distinct exceptions.repository_glob as repository, exceptions.source_manifest as digest
      from exceptions where exceptions.state = 'proposed' and exceptions.source_manifest is not null
        and not exists (select 1 from manifests
          join repository_manifests on repository_manifests.manifest_id = manifests.id
          join repositories on repositories.id = repository_manifests.repository_id
          where manifests.digest = exceptions.source_manifest and repositories.name = exceptions.repository_glob
            and repository_manifests.deleted_at is null)
      limit ${limit}`.compile(database.read),
  );
}
