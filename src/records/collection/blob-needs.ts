import type { Reader } from '../db/engine.ts';
import { quarantinesKeeping } from '../marks/keeps.ts';

/** Everything that decides whether a blob may go. All of it is read in the transaction that condemns. */
export interface BlobNeeds {
  readonly id: number;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly state: 'live' | 'remote' | 'condemned';
  readonly storageKey: string | null;
  /** Manifests that name it and have not been withdrawn; in the trash window too. */
  readonly neededBy: readonly { readonly repository: string; readonly digest: string }[];
  /** A quarantine that keeps it is one of kind `quarantine`. */
  readonly holds: readonly {
    readonly kind: string;
    readonly holder: string;
    readonly expiresAt: number | null;
  }[];
}

export async function blobNeeds(db: Reader, digest: string, nowMs: number): Promise<BlobNeeds | undefined> {
  const blob = await db
    .selectFrom('blobs')
    .selectAll()
    .where((e) => e.or([e('digest', '=', digest), e('digest_sha512', '=', digest)]))
    .executeTakeFirst();
  if (!blob) return undefined;
  const names = [blob.digest, ...(blob.digest_sha512 === null ? [] : [blob.digest_sha512])];
  const neededBy = await db
    .selectFrom('edges')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .select(['repositories.name as repository', 'manifests.digest'])
    .distinct()
    .where('edges.digest', 'in', names)
    .where('edges.kind', 'in', ['config', 'layer'])
    .where('repository_manifests.withdrawn_at', 'is', null)
    .execute();
  const holds = await db
    .selectFrom('holds')
    .select(['kind', 'holder', 'expires_at'])
    .where('digest', 'in', names)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', nowMs)]))
    .execute();
  const kept = await quarantinesKeeping(db, { digest: blob.digest, nowMs });
  return {
    id: blob.id,
    digest: blob.digest,
    sizeBytes: blob.size_bytes,
    state: blob.state,
    storageKey: blob.storage_key,
    neededBy,
    holds: [
      ...holds.map((hold) => ({ kind: hold.kind, holder: hold.holder, expiresAt: hold.expires_at })),
      ...kept.map((one) => ({ kind: 'quarantine', holder: one.quarantine, expiresAt: one.untilMs })),
    ],
  };
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
  if (needs.neededBy.length > 0) return { kind: 'needed', heldUntilMs };
  return heldUntilMs === undefined ? { kind: 'free' } : { kind: 'held', untilMs: heldUntilMs };
}

/** null: one has no end; undefined: there is none. */
function lastEnd(ends: readonly (number | null)[]): number | null | undefined {
  if (ends.length === 0) return undefined;
  return ends.some((end) => end === null) ? null : Math.max(...ends.map((end) => end ?? 0));
}
