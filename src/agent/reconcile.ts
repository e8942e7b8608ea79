import type { Assignment } from '../contract/agent.ts';
import type { LocalContainer } from './local-container.ts';

/** What to do next for one deployment. */
export type Step =
  | { readonly kind: 'create'; readonly assignment: Assignment }
  | { readonly kind: 'start'; readonly assignment: Assignment; readonly container: LocalContainer }
  | {
      readonly kind: 'stop';
      readonly container: LocalContainer;
      readonly reason: string;
      readonly deadlineMs: number;
    };

/**
 * From what should be and what is to what is to be done, at most one step for each deployment. It looks at states, never
 * at how they came about, so it may be asked again at any time: what returns is stopped again.
 *
 * - *run*: created if there is no container, started if it does not run and its back-off is over.
 * - *wait*: nothing is started; what runs is left. What is paused is left too: its lease decides (lease.ts).
 * - *stop*: stopped, whatever state it is in. A stop once begun is finished, also when nobody names it any more or it
 *   should run again: then a new container follows.
 * - A container that no assignment names is left alone: a region that has lost its memory stops nothing.
 */
export function reconcile(
  assignments: readonly Assignment[],
  containers: readonly LocalContainer[],
  nowMs: number,
): Step[] {
  const present = containers.filter((container) => container.state !== 'stopped');
  const begun = present.flatMap((container) => unfinishedStop(container));
  const stopping = new Set(begun.map((step) => step.container.deployment));
  const steps = assignments
    .filter((assignment) => !stopping.has(assignment.deployment))
    .map((assignment) => {
      const container = present.find((one) => one.deployment === assignment.deployment);
      return stepFor(assignment, container, nowMs);
    });
  return [...begun, ...steps.filter((step) => step !== undefined)];
}

function unfinishedStop(container: LocalContainer): Extract<Step, { kind: 'stop' }>[] {
  return container.stopping ? [{ kind: 'stop', container, ...container.stopping }] : [];
}

function stepFor(
  assignment: Assignment,
  container: LocalContainer | undefined,
  nowMs: number,
): Step | undefined {
  const { action, reason, stopDeadlineMs: deadlineMs } = assignment;
  if (action === 'stop')
    return container && { kind: 'stop', container, reason: reason ?? 'it was to be stopped', deadlineMs };
  if (action === 'wait') return undefined;
  if (!container) return { kind: 'create', assignment };
  if (container.state === 'running' || container.state === 'paused') return undefined;
  if (container.retryAt > nowMs) return undefined;
  return { kind: 'start', assignment, container };
}
