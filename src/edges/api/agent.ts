import { agentReport } from '../../actions/launch/agent-report.ts';
import { type LeaseAnswerDeps, leaseAnswer } from '../../actions/launch/lease-answer.ts';
import { assignmentsWatch, type WatchDeps } from '../../actions/launch/watch-assignments.ts';
import { agentAssignments, agentReportSend } from '../../contract/agent.ts';
import type { Instance } from '../../contract/fleet.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import { instanceGet } from '../../records/fleet/instances.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface AgentDeps extends WatchDeps, LeaseAnswerDeps {
  readonly region: string;
}

export function agentRoutes(deps: AgentDeps): BoundRoute[] {
  return [
    bind(agentAssignments, async ({ caller, signal }) =>
      assignmentsWatch(deps, await instanceOf(deps, caller), signal),
    ),
    bind(agentReportSend, async ({ caller, body }) => {
      const instance = await instanceOf(deps, caller);
      await agentReport(deps, instance, body);
      return leaseAnswer(deps, instance);
    }),
  ];
}

/** The instance that the agent speaks for: its principal is `instance/NAME`. @throws instanceUnknown */
async function instanceOf({ database, region }: AgentDeps, caller: Caller): Promise<Instance> {
  const name = caller.principal.replace(/^instance\//, '');
  const instance = await instanceGet(database.read, region, name);
  if (instance) return instance;
  throw new LazaretError('instanceUnknown', `region ${region} has no instance '${name}'`);
}
