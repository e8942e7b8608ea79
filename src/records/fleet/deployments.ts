import { type Selectable, sql } from 'kysely';
import { checked } from '../../contract/check.ts';
import { type Deployment, deploymentEventSchema, type Revocation } from '../../contract/fleet.ts';
import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { DeploymentTable } from '../db/tables/fleet.ts';
import { holdRelease, holdSet } from '../holds/holds.ts';
import { reviewAdd } from '../holds/review.ts';
import { revocationApply } from './revocations.ts';

/**
 * What should run, where, and what ends it. Decided in the primary region, carried whole to the others by
 * `deployment.set` (content lane) and, when it ends, by `deployment.ended` (quarantine lane, read ahead). The version
 * decides which is newer, so that the lanes may overtake each other. While it should run, every region that knows it
 * holds its image.
 */

export interface DeploymentFilter {
  /** Owners or entities; left out: all. */
  readonly accounts?: readonly string[] | undefined;
  readonly region?: string;
  readonly instance?: string;
  readonly name?: string;
  readonly owner?: string;
}

/** Without those that were removed, by name. */
export async function deploymentList(db: Reader, filter: DeploymentFilter = {}): Promise<Deployment[]> {
  let query = db.selectFrom('deployments').selectAll().where('desired', '!=', 'removed');
  if (filter.region) query = query.where('region', '=', filter.region);
  if (filter.instance) query = query.where('instance', '=', filter.instance);
  if (filter.name) query = query.where('name', '=', filter.name);
  if (filter.owner) query = query.where('owner', '=', filter.owner);
  const accounts = filter.accounts && [...filter.accounts, ''];
  if (accounts) query = query.where((e) => e.or([e('account', 'in', accounts), e('owner', 'in', accounts)]));
  const rows = await query.orderBy('name').orderBy('owner').limit(limits.apiPageMax).execute();
  return Promise.all(rows.map(deploymentOf));
}

/** Also one that was removed. */
export async function deploymentByUid(db: Reader, uid: string): Promise<Deployment | undefined> {
  const row = await db.selectFrom('deployments').selectAll().where('uid', '=', uid).executeTakeFirst();
  return row && deploymentOf(row);
}

/**
 * What an instance must know of: all that should run or was stopped there, and what was removed as long as a container of
 * it may be left.
 */
export async function deploymentsOfInstance(
  db: Reader,
  place: { region: string; instance: string },
): Promise<Deployment[]> {
  const rows = await db
    .selectFrom('deployments')
    .selectAll()
    .where('region', '=', place.region)
    .where('instance', '=', place.instance)
    .where((e) => {
      const containers = e
        .selectFrom('containers')
        .select('containers.uid')
        .whereRef('containers.deployment_uid', '=', 'deployments.uid');
      return e.or([
        e('desired', '!=', 'removed'),
        e.exists(containers.where('containers.state', '!=', 'stopped')),
        e.not(e.exists(containers)),
      ]);
    })
    .orderBy('id')
    .limit(limits.agentReportContainersMax)
    .execute();
  return Promise.all(rows.map(deploymentOf));
}

/** Whether anything that an instance may run needs a lease. */
export async function instanceHasLeases(
  db: Reader,
  place: { region: string; instance: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('deployments')
    .select('id')
    .where('region', '=', place.region)
    .where('instance', '=', place.instance)
    .where('lease_ms', 'is not', null)
    .where('desired', '!=', 'removed')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export interface DeploymentSetOptions {
  readonly actor: string;
  readonly cause?: string | undefined;
  /** Those that changed in the same transaction. */
  readonly revocations?: readonly Revocation[];
}

/** Keeps the deployment as it is now and tells the other regions. @returns it with its version */
export async function deploymentSet(
  tx: Tx,
  change: Omit<Deployment, 'version'>,
  options: DeploymentSetOptions,
): Promise<Deployment> {
  const deployment: Deployment = { ...change, version: await tx.nextVersion() };
  await deploymentWrite(tx, deployment);
  const running = deployment.desired === 'running';
  tx.emit({
    type: running ? 'deployment.set' : 'deployment.ended',
    lane: running ? 'content' : 'quarantine',
    account: deployment.account,
    subject: `${deployment.owner}/${deployment.name}`,
    actor: options.actor,
    cause: options.cause,
    data: { ...deployment, revocations: options.revocations ?? [] },
  });
  return deployment;
}

/** What the primary region said, with the revocations that came along. @returns whether it was newer. @throws invalid */
export async function deploymentApply(tx: Tx, data: unknown): Promise<boolean> {
  const { revocations, ...deployment } = await checked(deploymentEventSchema, data, { where: 'deployment' });
  for (const revocation of revocations ?? []) await revocationApply(tx, revocation);
  const known = await tx.db
    .selectFrom('deployments')
    .select('version')
    .where('uid', '=', deployment.uid)
    .executeTakeFirst();
  if (known && known.version >= deployment.version) return false;
  const outlived = await replaceNamesakes(tx, deployment);
  await deploymentWrite(tx, outlived ? { ...deployment, desired: 'removed' } : deployment);
  tx.wake();
  return true;
}

/**
 * A new deployment may overtake the end of the one that had its name; that one has ended all the same.
 * @returns whether a newer one has the name already
 */
async function replaceNamesakes(tx: Tx, { uid, owner, name, version }: Deployment): Promise<boolean> {
  const namesakes = await tx.db
    .selectFrom('deployments')
    .selectAll()
    .where('owner', '=', owner)
    .where('name', '=', name)
    .where('uid', '!=', uid)
    .where('desired', '!=', sql.lit('removed')) // as the index has it
    .execute();
  for (const row of namesakes)
    if (row.version < version)
      await deploymentWrite(tx, { ...(await deploymentOf(row)), desired: 'removed' });
  return namesakes.some((row) => row.version > version);
}

async function deploymentWrite(tx: Tx, deployment: Deployment): Promise<void> {
  const row = deploymentRow(deployment);
  await tx.db
    .insertInto('deployments')
    .values({ uid: deployment.uid, ...row })
    .onConflict((c) => c.column('uid').doUpdateSet(row))
    .execute();
  const hold = { kind: 'deployment', digest: deployment.manifestDigest, holder: deployment.uid } as const;
  if (deployment.desired === 'running') await holdSet(tx, { ...hold, expiresAt: null });
  else {
    await holdRelease(tx, hold);
    await reviewAdd(tx, 'manifest', deployment.manifestDigest, 'a deployment of it ended');
  }
}

function deploymentRow(deployment: Deployment) {
  return {
    name: deployment.name,
    account: deployment.account,
    owner: deployment.owner,
    repository: deployment.repository,
    reference: deployment.reference,
    manifest_digest: deployment.manifestDigest,
    region: deployment.region,
    instance: deployment.instance,
    env: JSON.stringify(deployment.env),
    event_criteria: JSON.stringify(deployment.eventCriteria),
    stop_deadline_ms: deployment.stopDeadlineMs,
    lease_ms: deployment.leaseMs,
    on_lease_end: deployment.onLeaseEnd,
    desired: deployment.desired,
    desired_reason: deployment.desiredReason,
    created_by: deployment.createdBy,
    created_at: deployment.createdAt,
    version: deployment.version,
  };
}

/** Of a row of the table. */
export async function deploymentOf(row: Selectable<DeploymentTable>): Promise<Deployment> {
  return {
    uid: row.uid,
    name: row.name,
    account: row.account,
    owner: row.owner,
    repository: row.repository,
    reference: row.reference,
    manifestDigest: row.manifest_digest,
    region: row.region,
    instance: row.instance,
    env: await checked(properties.env, JSON.parse(row.env), { where: 'env' }),
    eventCriteria: await checked(properties.eventCriteria, JSON.parse(row.event_criteria), {
      where: 'eventCriteria',
    }),
    stopDeadlineMs: row.stop_deadline_ms,
    leaseMs: row.lease_ms,
    onLeaseEnd: row.on_lease_end,
    desired: row.desired,
    desiredReason: row.desired_reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    version: row.version,
  };
}

const { properties } = deploymentEventSchema;
