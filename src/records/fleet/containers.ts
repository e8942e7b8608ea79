import type { Selectable } from 'kysely';
import { checked } from '../../contract/check.ts';
import { type Container, containerSchema } from '../../contract/fleet.ts';
import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { ContainerTable } from '../db/tables/fleet.ts';

/** What runs, as the agents report it to their region, which tells the others. */

export interface ContainerFilter {
  readonly deploymentUid?: string;
  readonly region?: string;
  readonly instance?: string;
  readonly manifestDigest?: string;
  /** Leaves out those that have stopped. */
  readonly present?: boolean;
}

/** Newest first. */
export async function containerList(db: Reader, filter: ContainerFilter = {}): Promise<Container[]> {
  let query = db.selectFrom('containers').selectAll();
  if (filter.deploymentUid) query = query.where('deployment_uid', '=', filter.deploymentUid);
  if (filter.region) query = query.where('region', '=', filter.region);
  if (filter.instance) query = query.where('instance', '=', filter.instance);
  if (filter.manifestDigest) query = query.where('manifest_digest', '=', filter.manifestDigest);
  if (filter.present) query = query.where('state', '!=', 'stopped');
  const rows = await query.orderBy('uid', 'desc').limit(limits.agentReportContainersMax).execute();
  return rows.map(containerOf);
}

export function containersOfDeployment(db: Reader, deploymentUid: string): Promise<Container[]> {
  return containerList(db, { deploymentUid });
}

export interface ContainerView extends Container {
  readonly deployment: string;
  readonly owner: string;
  readonly reference: string;
}

/** With what people call its deployment, newest first. @param accounts owners or entities; left out: all */
export async function containerViews(
  db: Reader,
  filter: { accounts?: readonly string[] | undefined; present: boolean },
): Promise<ContainerView[]> {
  let query = db
    .selectFrom('containers')
    .innerJoin('deployments', 'deployments.uid', 'containers.deployment_uid')
    .selectAll('containers')
    .select(['deployments.name', 'deployments.owner', 'deployments.reference']);
  if (filter.present) query = query.where('containers.state', '!=', 'stopped');
  const accounts = filter.accounts && [...filter.accounts, ''];
  if (accounts)
    query = query.where((e) =>
      e.or([e('containers.account', 'in', accounts), e('deployments.owner', 'in', accounts)]),
    );
  const rows = await query.orderBy('containers.uid', 'desc').limit(limits.apiPageMax).execute();
  return rows.map((row) => ({
    ...containerOf(row),
    deployment: row.name,
    owner: row.owner,
    reference: row.reference,
  }));
}

/** Keeps the container as it is now and says so to the other regions. @returns it with its version */
export async function containerSet(
  tx: Tx,
  change: Omit<Container, 'version'>,
  actor: string,
): Promise<Container> {
  const container: Container = { ...change, version: await tx.nextVersion() };
  await containerWrite(tx, container);
  tx.emit({
    type: `container.${containerEvent[container.state]}`,
    lane: 'content',
    account: container.account,
    subject: container.uid,
    actor,
    data: container,
  });
  return container;
}

const containerEvent = {
  starting: 'starting',
  running: 'started',
  stopped: 'stopped',
  failed: 'failed',
  refused: 'refused',
  paused: 'paused',
  leaseEnded: 'leaseEnded',
} as const;

/** What another region said of its container. @returns whether it was newer. @throws invalid */
export async function containerApply(tx: Tx, data: unknown): Promise<boolean> {
  const container = await checked(containerSchema, data, { where: 'container' });
  const known = await tx.db
    .selectFrom('containers')
    .select('version')
    .where('uid', '=', container.uid)
    .executeTakeFirst();
  if (known && known.version >= container.version) return false;
  await containerWrite(tx, container);
  return true;
}

async function containerWrite(tx: Tx, container: Container): Promise<void> {
  const row = {
    deployment_uid: container.deploymentUid,
    region: container.region,
    instance: container.instance,
    account: container.account,
    manifest_digest: container.manifestDigest,
    state: container.state,
    message: container.message,
    exit_code: container.exitCode,
    started_at: container.startedAt,
    stopped_at: container.stoppedAt,
    reported_at: container.reportedAt,
    version: container.version,
  };
  await tx.db
    .insertInto('containers')
    .values({ uid: container.uid, ...row })
    .onConflict((c) => c.column('uid').doUpdateSet(row))
    .execute();
}

function containerOf(row: Selectable<ContainerTable>): Container {
  return {
    uid: row.uid,
    deploymentUid: row.deployment_uid,
    region: row.region,
    instance: row.instance,
    account: row.account,
    manifestDigest: row.manifest_digest,
    state: row.state,
    message: row.message,
    exitCode: row.exit_code,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    reportedAt: row.reported_at,
    version: row.version,
  };
}

export async function containerKnown(db: Reader, uid: string): Promise<boolean> {
  return (
    (await db.selectFrom('containers').select('uid').where('uid', '=', uid).executeTakeFirst()) !== undefined
  );
}
