import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobFind } from '../catalog/blobs.ts';
import type { Reader } from '../db/engine.ts';
import type { Caller } from './caller.ts';
import { grantAllows } from './grants.ts';
import { permits } from './permits.ts';

/**
 * Why a caller may pull from a repository: by a role, or because its owner granted it to the caller's account. What is
 * granted can be taken back by an event that the owner's criteria name: while a revocation of a manifest is active for
 * the account, the account gets neither that manifest nor a blob that only such manifests need.
 */
export type PullRight = { readonly kind: 'owner' | 'granted' | 'none' };

export async function pullRight(
  db: Reader,
  caller: Caller,
  asked: { readonly repository: string; readonly owner: string },
): Promise<PullRight> {
  const { repository, owner } = asked;
  if (permits(caller, 'pull', { repository, account: owner })) return { kind: 'owner' };
  if (caller.account === null) return { kind: 'none' };
  const granted = await grantAllows(db, { grantee: caller.account, owner, repository });
  return { kind: granted ? 'granted' : 'none' };
}

export interface ActiveRevocation {
  readonly name: string;
  readonly reason: string;
  readonly manifestDigest: string;
}

/** The active revocation that takes a manifest, by itself or as a child of a revoked index, away from an account. */
export async function grantedManifestRefusal(
  db: Reader,
  asked: { readonly account: string; readonly manifestDigest: string },
): Promise<ActiveRevocation | undefined> {
  const [first] = await revocationsOf(db, asked.account, [asked.manifestDigest]);
  return first;
}

export type GrantedBlob =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly revocation: ActiveRevocation }
  /** No manifest of the repository names it: a grant is of images, not of whatever was uploaded. */
  | { readonly kind: 'unneeded' };

/** Whether a manifest of the repository that is not revoked for the account needs the blob. */
export async function grantedBlob(
  db: Reader,
  asked: { readonly account: string; readonly repository: string; readonly blobDigest: Digest },
): Promise<GrantedBlob> {
  const blob = await blobFind(db, asked.blobDigest);
  const rows = await db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .select('manifests.digest')
    .where('edges.digest', '=', blob?.digest ?? asked.blobDigest)
    .where('edges.kind', 'in', ['config', 'layer'])
    .where('repositories.name', '=', asked.repository)
    .where('repository_manifests.deleted_at', 'is', null)
    .execute();
  let revocation: ActiveRevocation | undefined;
  for (const { digest } of rows) {
    const [found] = await revocationsOf(db, asked.account, [digest]);
    if (!found) return { kind: 'allowed' };
    revocation = found;
  }
  return revocation ? { kind: 'refused', revocation } : { kind: 'unneeded' };
}

/** @throws denied, with the revocation's name and reason in `detail` */
export function assertNotRevoked(revocation: ActiveRevocation | undefined): void {
  if (!revocation) return;
  const { name, reason } = revocation;
  throw new LazaretError('denied', `revoked (${name}): ${reason}`, { detail: { revocation: name, reason } });
}

async function revocationsOf(
  db: Reader,
  account: string,
  digests: readonly string[],
): Promise<ActiveRevocation[]> {
  const rows = await db
    .selectFrom('revocations')
    .select(['name', 'trigger', 'manifest_digest'])
    .where('account', '=', account)
    .where('lifted_at', 'is', null)
    .where((e) =>
      e.or([
        e('manifest_digest', 'in', digests),
        e(
          'manifest_digest',
          'in',
          e
            .selectFrom('edges')
            .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
            .select('manifests.digest')
            .where('edges.kind', '=', 'child')
            .where('edges.digest', 'in', digests),
        ),
      ]),
    )
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ name: row.name, reason: row.trigger, manifestDigest: row.manifest_digest }));
}
