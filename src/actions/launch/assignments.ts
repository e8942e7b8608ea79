import type { Assignment } from '../../contract/agent.ts';
import type { Deployment, Instance } from '../../contract/fleet.ts';
import { blobsMissing, manifestIdOf } from '../../records/catalog/images.ts';
import type { Reader } from '../../records/db/engine.ts';
import { deploymentsOfInstance } from '../../records/fleet/deployments.ts';
import { revocationsOpen } from '../../records/fleet/revocations.ts';
import { logHead } from '../../records/log/log.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { isGranted } from './launch-check.ts';

export interface Assignments {
  /** The head of the log when this was true, or before. */
  readonly revision: number;
  readonly assignments: readonly Assignment[];
}

/**
 * What the agent of an instance is to do, decided from rows now. Only what its deployment's event criteria, its owner or
 * its entity ended is stopped; an image that is merely refused, incomplete here or no longer granted is not started
 * again, and what runs of it is left alone.
 */
export async function assignmentsOf(db: Reader, instance: Instance): Promise<Assignments> {
  const revision = await logHead(db);
  const deployments = await deploymentsOfInstance(db, { region: instance.region, instance: instance.name });
  const assignments: Assignment[] = [];
  for (const deployment of deployments) assignments.push(await assignmentOf(db, deployment));
  return { revision, assignments };
}

async function assignmentOf(db: Reader, deployment: Deployment): Promise<Assignment> {
  const { uid, name, repository, manifestDigest, env, stopDeadlineMs, leaseMs, onLeaseEnd } = deployment;
  const order = await orderOf(db, deployment);
  const lease = leaseMs === null ? {} : { lease: { leaseMs, onLeaseEnd } };
  return { deployment: uid, name, ...order, repository, manifestDigest, env, stopDeadlineMs, ...lease };
}

type Order = Pick<Assignment, 'action' | 'reason'>;

async function orderOf(db: Reader, deployment: Deployment): Promise<Order> {
  if (deployment.desired !== 'running')
    return { action: 'stop', reason: deployment.desiredReason ?? deployment.desired };
  // Revocations of a running deployment were lifted, unless its news arrived in pieces: then the refusal stands.
  const [revocation] = await revocationsOpen(db, deployment.uid);
  if (revocation) return { action: 'stop', reason: `revoked (${revocation.name}): ${revocation.trigger}` };
  const reason = await reasonToWait(db, deployment);
  return reason ? { action: 'wait', reason } : { action: 'run', reason: null };
}

async function reasonToWait(db: Reader, deployment: Deployment): Promise<string | undefined> {
  const { manifestDigest, repository, owner } = deployment;
  const manifestId = await manifestIdOf(db, manifestDigest);
  if (manifestId === undefined) return 'the image is not in this region yet';
  const missing = await blobsMissing(db, manifestId);
  if (missing > 0) return `${missing} of the image's blobs are not in this region yet`;
  const refusal = await refusalOfManifest(db, { repository, account: owner }, manifestId);
  if (refusal) return `quarantined (${refusal.quarantine}): ${refusal.reason}`;
  return (await isGranted(db, deployment)) ? undefined : `${owner} has not granted ${repository}`;
}
