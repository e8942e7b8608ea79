import type { Container, Deployment, Revocation } from '../../contract/fleet.ts';
import type { Tx } from '../../records/db/database.ts';
import { containersOfDeployment } from '../../records/fleet/containers.ts';
import { deploymentByUid, deploymentSet } from '../../records/fleet/deployments.ts';
import { evidenceNotAccepted, revocationAdd } from '../../records/fleet/revocations.ts';
import { type Occurrence, occurrencesOf } from './occurrences.ts';
import type { RevokeDeps } from './revoke-deps.ts';

const actor = 'event-criteria';

/**
 * Answers what the deployment's event criteria name, once: in one transaction the revocation, the deployment's end and
 * the events of both. What has ended meanwhile, or was accepted by lifting a revocation, is left alone, so that it may be
 * called again at any time.
 * @param cause the event of the log that made it worth asking
 * @returns the revocations that it made
 */
export async function revokeIfMet(
  deps: RevokeDeps,
  deploymentUid: string,
  cause: string | null,
): Promise<readonly Revocation[]> {
  const before = await deploymentByUid(deps.database.read, deploymentUid);
  if (before?.desired !== 'running') return [];
  const found = await occurrencesOf(deps, before);
  if (found.length === 0) return [];
  return deps.database.transact(async (tx) => {
    const deployment = await deploymentByUid(tx.db, deploymentUid);
    if (deployment?.desired !== 'running') return [];
    const fresh: Occurrence[] = [];
    for (const occurrence of found)
      if ((await evidenceNotAccepted(tx.db, deploymentUid, occurrence.evidence)).length > 0)
        fresh.push(occurrence);
    return answer(tx, deployment, { fresh, cause });
  });
}

interface Answer {
  readonly fresh: readonly Occurrence[];
  readonly cause: string | null;
}

async function answer(tx: Tx, deployment: Deployment, { fresh, cause }: Answer): Promise<Revocation[]> {
  const containers = await containersOfDeployment(tx.db, deployment.uid);
  const revocations: Revocation[] = [];
  for (const occurrence of fresh) {
    const { uid: deploymentUid, account, repository, manifestDigest } = deployment;
    const { trigger, evidence } = occurrence;
    const revocation = await revocationAdd(tx, {
      deploymentUid,
      account,
      repository,
      manifestDigest,
      trigger,
      cause,
      evidence: [...evidence],
      announcedOnly: occurrence.response === 'notify',
    });
    revocations.push(revocation);
    emitMet(tx, deployment, { occurrence, revocation, containers });
  }
  const [first] = revocations.filter((revocation) => revocation.liftedAt === null);
  if (!first) return revocations;
  const desiredReason = `revoked (${first.name}): ${first.trigger}`;
  await deploymentSet(
    tx,
    { ...deployment, desired: 'stopped', desiredReason },
    { actor, cause: cause ?? undefined, revocations },
  );
  return revocations;
}

interface Met {
  readonly occurrence: Occurrence;
  readonly revocation: Revocation;
  readonly containers: readonly Container[];
}

function emitMet(tx: Tx, deployment: Deployment, { occurrence, revocation, containers }: Met): void {
  const running = containers.filter((container) => container.state !== 'stopped');
  tx.emit({
    type: 'criteria.met',
    lane: 'content',
    account: deployment.owner,
    subject: revocation.name,
    actor,
    cause: revocation.cause ?? undefined,
    data: {
      revocation: { uid: revocation.uid, name: revocation.name },
      deployment: {
        uid: deployment.uid,
        name: deployment.name,
        owner: deployment.owner,
        account: deployment.account,
        repository: deployment.repository,
        reference: deployment.reference,
        manifestDigest: deployment.manifestDigest,
      },
      criteria: occurrence.trigger,
      source: occurrence.source,
      response: occurrence.response,
      evidence: revocation.evidence,
      containers: running.map(({ uid, region, instance, state }) => ({ uid, region, instance, state })),
    },
  });
}
