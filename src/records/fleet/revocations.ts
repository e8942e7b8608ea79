import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import { checked } from '../../contract/check.ts';
import { type Reason, type Revocation, revocationSchema } from '../../contract/fleet.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { RevocationTable } from '../db/tables/fleet.ts';

/**
 * An event that an owner's criteria name has occurred. Open: the deployment may not be started, and its entity may not
 * pull the image. Lifted by the owner: accepted, so that the same evidence does not fire again. Rows change together with
 * their deployment and travel in its events.
 */

export async function revocationList(
  db: Reader,
  filter: { deploymentUid?: string; accounts?: readonly string[] | undefined } = {},
): Promise<Revocation[]> {
  let query = db.selectFrom('revocations').selectAll('revocations');
  if (filter.deploymentUid) query = query.where('deployment_uid', '=', filter.deploymentUid);
  const accounts = filter.accounts && [...filter.accounts, ''];
  if (accounts)
    query = query.where((e) =>
      e.or([
        e('revocations.account', 'in', accounts),
        e.exists(
          e
            .selectFrom('deployments')
            .select('deployments.id')
            .whereRef('deployments.uid', '=', 'revocations.deployment_uid')
            .where('deployments.owner', 'in', accounts),
        ),
      ]),
    );
  const rows = await query.orderBy('occurred_at', 'desc').limit(limits.apiPageMax).execute();
  return Promise.all(rows.map(revocationOf));
}

export async function revocationsOpen(db: Reader, deploymentUid: string): Promise<Revocation[]> {
  const all = await revocationList(db, { deploymentUid });
  return all.filter((revocation) => revocation.liftedAt === null);
}

/** @throws denied, naming the revocation and its reason */
export function assertNotRevoked(revocation: Revocation | undefined): void {
  if (!revocation) return;
  const { name, trigger, evidence } = revocation;
  const reason = [trigger, ...evidence.slice(0, 1).map((one) => one.text)].join(': ');
  throw new LazaretError('denied', `revoked (${name}): ${reason}`, { detail: { revocation: name, reason } });
}

/** The evidence of `found` that no lifted revocation of the deployment has accepted. */
export async function evidenceNotAccepted(
  db: Reader,
  deploymentUid: string,
  found: readonly Reason[],
): Promise<Reason[]> {
  const all = await revocationList(db, { deploymentUid });
  const lifted = all.filter((revocation) => revocation.liftedAt !== null);
  const accepted = new Set(lifted.flatMap((revocation) => revocation.evidence.map((one) => one.key)));
  return found.filter((one) => !accepted.has(one.key));
}

export type NewRevocation = Pick<
  Revocation,
  'deploymentUid' | 'account' | 'repository' | 'manifestDigest' | 'trigger' | 'evidence' | 'cause'
> & {
  /** What is only announced is lifted at once, so that its evidence counts as accepted. */
  readonly announcedOnly: boolean;
};

/** Names it `R-<n>`. The event that carries it is the caller's to emit. */
export async function revocationAdd(tx: Tx, { announcedOnly, ...fresh }: NewRevocation): Promise<Revocation> {
  const version = await tx.nextVersion();
  const lift = { liftedAt: tx.nowMs, liftedBy: 'event-criteria', liftReason: 'announced only' };
  const revocation: Revocation = {
    ...fresh,
    uid: uuidv7(tx.nowMs),
    name: `R-${await nextNumber(tx, 'revocations')}`,
    evidenceKey: evidenceKey(fresh.evidence),
    occurredAt: tx.nowMs,
    ...(announcedOnly ? lift : { liftedAt: null, liftedBy: null, liftReason: null }),
    version,
  };
  await revocationWrite(tx, revocation);
  return revocation;
}

/** Lifts every open revocation of the deployment. @returns them as they are now */
export async function revocationsLift(
  tx: Tx,
  lift: { deploymentUid: string; by: string; reason: string },
): Promise<Revocation[]> {
  const version = await tx.nextVersion();
  const open = await revocationsOpen(tx.db, lift.deploymentUid);
  const lifted = open.map((revocation) => ({
    ...revocation,
    liftedAt: tx.nowMs,
    liftedBy: lift.by,
    liftReason: lift.reason,
    version,
  }));
  for (const revocation of lifted) await revocationWrite(tx, revocation);
  return lifted;
}

/** @returns whether it was newer. @throws invalid */
export async function revocationApply(tx: Tx, data: unknown): Promise<boolean> {
  const revocation = await checked(revocationSchema, data, { where: 'revocation' });
  const known = await tx.db
    .selectFrom('revocations')
    .select('version')
    .where('uid', '=', revocation.uid)
    .executeTakeFirst();
  if (known && known.version >= revocation.version) return false;
  await revocationWrite(tx, revocation);
  return true;
}

/** The same for the same evidence, in whatever order it was found. */
function evidenceKey(evidence: readonly Reason[]): string {
  const keys = evidence.map((one) => one.key).sort();
  return createHash('sha256').update(keys.join('\n')).digest('hex');
}

async function revocationWrite(tx: Tx, revocation: Revocation): Promise<void> {
  const row = {
    name: revocation.name,
    deployment_uid: revocation.deploymentUid,
    account: revocation.account,
    repository: revocation.repository,
    manifest_digest: revocation.manifestDigest,
    trigger: revocation.trigger,
    evidence: JSON.stringify(revocation.evidence),
    evidence_key: revocation.evidenceKey,
    cause: revocation.cause,
    occurred_at: revocation.occurredAt,
    lifted_at: revocation.liftedAt,
    lifted_by: revocation.liftedBy,
    lift_reason: revocation.liftReason,
    version: revocation.version,
  };
  await tx.db
    .insertInto('revocations')
    .values({ uid: revocation.uid, ...row })
    .onConflict((c) => c.column('uid').doUpdateSet(row))
    .execute();
}

async function revocationOf(row: Selectable<RevocationTable>): Promise<Revocation> {
  return {
    uid: row.uid,
    name: row.name,
    deploymentUid: row.deployment_uid,
    account: row.account,
    repository: row.repository,
    manifestDigest: row.manifest_digest,
    trigger: row.trigger,
    evidence: await checked(evidenceSchema, JSON.parse(row.evidence), { where: 'evidence' }),
    evidenceKey: row.evidence_key,
    cause: row.cause,
    occurredAt: row.occurred_at,
    liftedAt: row.lifted_at,
    liftedBy: row.lifted_by,
    liftReason: row.lift_reason,
    version: row.version,
  };
}

const evidenceSchema = revocationSchema.properties.evidence;
