import type { Reader } from '../db/engine.ts';

/** What became of some images in the fleet: every container of theirs that was reported, and every revocation. */
export interface ContainerHistory {
  readonly uid: string;
  readonly deployment: string;
  readonly account: string;
  readonly region: string;
  readonly instance: string;
  readonly manifestDigest: string;
  readonly state: string;
  readonly startedAt: number | null;
  readonly stoppedAt: number | null;
  readonly exitCode: number | null;
  /** When it changed last, as its agent reported. */
  readonly reportedAt: number;
  /** When its agent, or the region that hears it, was heard last. */
  readonly heardAt: number;
}

export async function containersOf(
  db: Reader,
  manifestDigests: readonly string[],
): Promise<ContainerHistory[]> {
  if (manifestDigests.length === 0) return [];
  const rows = await db
    .selectFrom('containers')
    .leftJoin('deployments', 'deployments.uid', 'containers.deployment_uid')
    .selectAll('containers')
    .leftJoin('instances', (join) =>
      join
        .onRef('instances.region', '=', 'containers.region')
        .onRef('instances.name', '=', 'containers.instance'),
    )
    .leftJoin('regions', (join) =>
      join.onRef('regions.name', '=', 'containers.region').on('regions.is_self', '=', 0),
    )
    .select(['deployments.name as deployment', 'instances.last_heard_at as instance_heard_at'])
    .select('regions.last_heard_at as region_heard_at')
    .where('containers.manifest_digest', 'in', manifestDigests)
    .orderBy('containers.started_at')
    .execute();
  return rows.map((row) => ({
    uid: row.uid,
    deployment: row.deployment ?? row.deployment_uid,
    account: row.account,
    region: row.region,
    instance: row.instance,
    manifestDigest: row.manifest_digest,
    state: row.state,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    exitCode: row.exit_code,
    reportedAt: row.reported_at,
    heardAt: Math.max(row.reported_at, row.instance_heard_at ?? 0, row.region_heard_at ?? 0),
  }));
}

export interface LeaseHistory {
  readonly containerUid: string;
  /** Of the deployment's events. */
  readonly subject: string;
  readonly leaseMs: number;
  readonly stopDeadlineMs: number;
}

/** The containers whose deployment has ended and had a lease that does something at its end. */
export async function endedLeasesOf(db: Reader, containerUids: readonly string[]): Promise<LeaseHistory[]> {
  if (containerUids.length === 0) return [];
  const rows = await db
    .selectFrom('containers')
    .innerJoin('deployments', 'deployments.uid', 'containers.deployment_uid')
    .select([
      'containers.uid',
      'deployments.owner',
      'deployments.name',
      'deployments.lease_ms',
      'deployments.stop_deadline_ms',
    ])
    .where('containers.uid', 'in', containerUids)
    .where('deployments.desired', '!=', 'running')
    .where('deployments.on_lease_end', '!=', 'keep')
    .execute();
  return rows.flatMap(({ uid, owner, name, lease_ms: leaseMs, stop_deadline_ms: stopDeadlineMs }) =>
    leaseMs === null ? [] : [{ containerUid: uid, subject: `${owner}/${name}`, leaseMs, stopDeadlineMs }],
  );
}

export interface RevocationHistory {
  readonly name: string;
  readonly deployment: string;
  readonly account: string;
  readonly manifestDigest: string;
  readonly trigger: string;
  readonly occurredAt: number;
  readonly liftedAt: number | null;
  readonly liftReason: string | null;
}

export async function revocationsOf(
  db: Reader,
  manifestDigests: readonly string[],
): Promise<RevocationHistory[]> {
  if (manifestDigests.length === 0) return [];
  const rows = await db
    .selectFrom('revocations')
    .leftJoin('deployments', 'deployments.uid', 'revocations.deployment_uid')
    .selectAll('revocations')
    .select('deployments.name as deployment')
    .where('revocations.manifest_digest', 'in', manifestDigests)
    .orderBy('revocations.occurred_at')
    .execute();
  return rows.map((row) => ({
    name: row.name,
    deployment: row.deployment ?? row.deployment_uid,
    account: row.account,
    manifestDigest: row.manifest_digest,
    trigger: row.trigger,
    occurredAt: row.occurred_at,
    liftedAt: row.lifted_at,
    liftReason: row.lift_reason,
  }));
}

/** Where the named layers are now, in this region. */
export async function layerStates(
  db: Reader,
  digests: readonly string[],
): Promise<{ digest: string; state: string }[]> {
  if (digests.length === 0) return [];
  return db.selectFrom('blobs').select(['digest', 'state']).where('digest', 'in', digests).execute();
}

/** Every image that names one of these layers or manifests, in or out of service. */
export async function imagesNaming(db: Reader, digests: readonly string[]): Promise<string[]> {
  if (digests.length === 0) return [];
  const rows = await db
    .selectFrom('manifests')
    .leftJoin('edges', 'edges.manifest_id', 'manifests.id')
    .select('manifests.digest')
    .distinct()
    .where((e) =>
      e.or([
        e('manifests.digest', 'in', digests),
        e.and([e('edges.digest', 'in', digests), e('edges.kind', 'in', ['config', 'layer'])]),
      ]),
    )
    .execute();
  return rows.map((row) => row.digest);
}
