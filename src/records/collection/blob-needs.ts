import { sql } from 'kysely';
import type { Reader } from '../db/engine.ts';
import { quarantinesKeeping } from '../marks/keeps.ts';

/** Everything that decides whether a blob may go. All of it is read in the transaction that condemns. */
export interface BlobNeeds {
  readonly id: number;
  readonly digest: string;
  readonly digestSha512: string | null;
  readonly sizeBytes: number;
  readonly state: 'live' | 'remote' | 'condemned';
  readonly storageKey: string | null;
  /** A manifest names it and has not been withdrawn; one in the trash window too. */
  readonly needed: boolean;
  /** A quarantine that keeps it is one of kind `quarantine`. */
  readonly holds: readonly {
    readonly kind: string;
    readonly holder: string;
    readonly expiresAt: number | null;
  }[];
}

/** @param digest either of its two */
export async function blobNeeds(db: Reader, digest: string, nowMs: number): Promise<BlobNeeds | undefined> {
  return (await needsOfBlobs(db, [digest], nowMs)).get(digest);
}

/** By each digest that was asked with. The number of queries does not grow with the number of blobs. */
export async function needsOfBlobs(
  db: Reader,
  digests: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, BlobNeeds>> {
  const blobs = await blobRows(db, digests);
  if (blobs.length === 0) return new Map();
  const names = blobs.flatMap(namesOf);
  const inService = await namedInService(
    db,
    blobs.map((blob) => blob.id),
  );
  const held = Map.groupBy(await holdsOn(db, { names, nowMs }), (hold) => hold.digest);
  const known = new Map<string, BlobNeeds>();
  for (const blob of blobs) {
    const needs: BlobNeeds = {
      id: blob.id,
      digest: blob.digest,
      digestSha512: blob.digest_sha512,
      sizeBytes: blob.size_bytes,
      state: blob.state,
      storageKey: blob.storage_key,
      needed: inService.has(blob.id),
      holds: namesOf(blob)
        .flatMap((name) => held.get(name) ?? [])
        .map(({ kind, holder, expiresAt }) => ({ kind, holder, expiresAt })),
    };
    for (const name of namesOf(blob)) known.set(name, needs);
  }
  return known;
}

/** The manifests that need a blob and have not been withdrawn, with their repositories. For people. */
export async function manifestsNeeding(
  db: Reader,
  blob: BlobNeeds,
  limit: number,
): Promise<{ repository: string; digest: string }[]> {
  return db
    .selectFrom('edges')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select(['repositories.name as repository', 'manifests.digest'])
    .distinct()
    .where('edges.digest', 'in', namesOf({ digest: blob.digest, digest_sha512: blob.digestSha512 }))
    .where('edges.kind', 'in', ['config', 'layer'])
    .where('repository_manifests.withdrawn_at', 'is', null)
    .orderBy('repositories.name')
    .orderBy('manifests.digest')
    .limit(limit)
    .execute();
}

function namesOf(blob: { digest: string; digest_sha512: string | null }): string[] {
  return blob.digest_sha512 === null ? [blob.digest] : [blob.digest, blob.digest_sha512];
}

async function blobRows(db: Reader, digests: readonly string[]) {
  const named = (column: 'digest' | 'digest_sha512', names: readonly string[]) =>
    names.length === 0 ? [] : db.selectFrom('blobs').selectAll().where(column, 'in', names).execute();
  const isSha512 = (digest: string) => digest.startsWith('sha512:');
  const found = [
    ...(await named(
      'digest',
      digests.filter((digest) => !isSha512(digest)),
    )),
    ...(await named('digest_sha512', digests.filter(isSha512))),
  ];
  return [...new Map(found.map((blob) => [blob.id, blob])).values()];
}

/** Which of these blobs a manifest needs. It looks no further than the first: a base may be under any number of images. */
async function namedInService(db: Reader, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{
    id: number;
  }>`select blobs.id from blobs where blobs.id in (${sql.join(ids)}) and (
    select edges.manifest_id from edges
    join repository_manifests on repository_manifests.manifest_id = edges.manifest_id
    where edges.digest in (blobs.digest, blobs.digest_sha512) and edges.kind in ('config', 'layer')
      and repository_manifests.withdrawn_at is null limit 1) is not null`.execute(db);
  return new Set(rows.map((row) => Number(row.id)));
}

async function holdsOn(db: Reader, { names, nowMs }: { names: readonly string[]; nowMs: number }) {
  const holds = await db
    .selectFrom('holds')
    .select(['digest', 'kind', 'holder', 'expires_at as expiresAt'])
    .where('digest', 'in', names)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', nowMs)]))
    .execute();
  const kept = await quarantinesKeeping(db, { digests: names, nowMs });
  return [
    ...holds,
    ...kept.map(({ digest, quarantine, untilMs }) => ({
      digest,
      kind: 'quarantine',
      holder: quarantine,
      expiresAt: untilMs,
    })),
  ];
}

export type BlobVerdict =
  /** `heldUntilMs`: a hold may be of a repository whose link nothing else needs; undefined if there is no hold. */
  | { readonly kind: 'needed'; readonly heldUntilMs: number | null | undefined }
  | { readonly kind: 'held'; readonly untilMs: number | null }
  | { readonly kind: 'gone' }
  | { readonly kind: 'free' };

/** Pure: may this blob go? */
export function blobVerdict(needs: BlobNeeds | undefined): BlobVerdict {
  if (!needs || needs.state === 'condemned') return { kind: 'gone' };
  const heldUntilMs = lastEnd(needs.holds.map((hold) => hold.expiresAt));
  if (needs.needed) return { kind: 'needed', heldUntilMs };
  return heldUntilMs === undefined ? { kind: 'free' } : { kind: 'held', untilMs: heldUntilMs };
}

/** null: one has no end; undefined: there is none. */
function lastEnd(ends: readonly (number | null)[]): number | null | undefined {
  if (ends.length === 0) return undefined;
  return ends.some((end) => end === null) ? null : Math.max(...ends.map((end) => end ?? 0));
}
