import type { AgentReportAnswer } from '../../contract/agent.ts';
import type { Instance } from '../../contract/fleet.ts';
import type { Database } from '../../records/db/database.ts';
import { instanceHasLeases } from '../../records/fleet/deployments.ts';
import { assignmentsOf } from './assignments.ts';
import type { LeaseBasis } from './lease-basis.ts';

export interface LeaseAnswerDeps {
  readonly database: Database;
  readonly leases: Pick<LeaseBasis, 'elapsedMs'>;
}

/**
 * The answer to an agent's report: what is left of its leases, with the assignments that they are for. The basis is
 * taken before the rows are read, so the rows contain all that home had ended by then. What should end is not renewed;
 * what merely waits is, since what runs of it may go on.
 */
export async function leaseAnswer(
  { database, leases }: LeaseAnswerDeps,
  instance: Instance,
): Promise<AgentReportAnswer> {
  const db = database.read;
  if (!(await instanceHasLeases(db, { region: instance.region, instance: instance.name }))) return {};
  const elapsedMs = await leases.elapsedMs();
  const { revision, assignments } = await assignmentsOf(db, instance);
  const renewed = assignments.flatMap(({ deployment, action, lease }) => {
    if (!lease || action === 'stop' || elapsedMs === undefined) return [];
    const remainingMs = Math.floor(lease.leaseMs - elapsedMs);
    return remainingMs > 0 ? [{ deployment, remainingMs }] : [];
  });
  return { revision, assignments: [...assignments], leases: renewed };
}
