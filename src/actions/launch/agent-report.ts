import type { AgentReport, ReportedContainer } from '../../contract/agent.ts';
import type { Container, Instance } from '../../contract/fleet.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { containerKnown, containerList, containerSet } from '../../records/fleet/containers.ts';
import { deploymentByUid } from '../../records/fleet/deployments.ts';
import { instanceHeard } from '../../records/fleet/instances.ts';

/**
 * Takes what an agent says that it runs. Rows and events change only where the container did; a container that came back
 * although it should not run is in the next assignments as one to stop, like any other. What this instance had and the
 * report does not name has gone.
 */
export async function agentReport(
  deps: { readonly database: Database },
  instance: Instance,
  report: AgentReport,
): Promise<void> {
  await deps.database.transact(async (tx) => {
    const known = await containerList(tx.db, { region: instance.region, instance: instance.name });
    const byUid = new Map(known.map((container) => [container.uid, container]));
    for (const reported of report.containers) await takeContainer(tx, instance, { reported, byUid });
    const named = new Set(report.containers.map((container) => container.uid));
    for (const container of known)
      if (container.state !== 'stopped' && !named.has(container.uid)) await loseContainer(tx, container);
    await instanceHeard(tx, instance.uid, report.runtime);
  });
}

async function takeContainer(
  tx: Tx,
  instance: Instance,
  { reported, byUid }: { reported: ReportedContainer; byUid: ReadonlyMap<string, Container> },
): Promise<void> {
  const known = byUid.get(reported.uid);
  if (known && isSame(known, reported)) return;
  if (!known && (await isForeign(tx, instance, reported))) return;
  const { uid, deployment, manifestDigest, state, message, exitCode, startedAt, stoppedAt } = reported;
  await containerSet(
    tx,
    {
      uid,
      deploymentUid: deployment,
      region: instance.region,
      instance: instance.name,
      account: instance.account,
      manifestDigest,
      state,
      message,
      exitCode,
      startedAt,
      stoppedAt,
      reportedAt: tx.nowMs,
    },
    actorOf(instance),
  );
}

function isSame(known: Container, reported: ReportedContainer): boolean {
  return (
    known.state === reported.state &&
    known.message === reported.message &&
    known.exitCode === reported.exitCode &&
    known.startedAt === reported.startedAt &&
    known.stoppedAt === reported.stoppedAt
  );
}

/** Uids are random: one of another instance was made up, and must neither change nor invent what is not this agent's. */
async function isForeign(tx: Tx, instance: Instance, reported: ReportedContainer): Promise<boolean> {
  if (await containerKnown(tx.db, reported.uid)) return true;
  const deployment = await deploymentByUid(tx.db, reported.deployment);
  if (!deployment) return false;
  return deployment.region !== instance.region || deployment.instance !== instance.name;
}

async function loseContainer(tx: Tx, container: Container): Promise<void> {
  const message = 'its agent has it no longer; its end was not seen';
  await containerSet(
    tx,
    { ...container, state: 'stopped', message, stoppedAt: null, reportedAt: tx.nowMs },
    actorOf({ name: container.instance }),
  );
}

function actorOf(instance: Pick<Instance, 'name'>): string {
  return `instance/${instance.name}`;
}
