import Type, { type Static } from 'typebox';
import { type Assignment, type ReportedContainer, reportedContainerSchema } from '../contract/agent.ts';
import { limits } from '../lib/limits.ts';
import type { ContainerStatus } from './runtimes/runtime.ts';

/** What an agent keeps of a container, in a file of its own, so that a restarted agent adopts what runs. */
export const localContainerSchema = Type.Object({
  ...reportedContainerSchema.properties,
  name: Type.String(),
  /** It is being ended: it must not be started, whatever the assignments say now. */
  stopping: Type.Union([Type.Object({ reason: Type.String(), deadlineMs: Type.Integer() }), Type.Null()]),
  /** Ends by itself and starts that failed, since it last ran for long. */
  failures: Type.Integer(),
  /** Not tried again before: milliseconds since 1970. */
  retryAt: Type.Integer(),
});
export type LocalContainer = Readonly<Static<typeof localContainerSchema>>;

export function newContainer(uid: string, assignment: Assignment): LocalContainer {
  return {
    uid,
    deployment: assignment.deployment,
    name: assignment.name,
    manifestDigest: assignment.manifestDigest,
    state: 'starting',
    message: null,
    exitCode: null,
    startedAt: null,
    stoppedAt: null,
    stopping: null,
    failures: 0,
    retryAt: 0,
  };
}

/** The container as the runtime sees it now; the same object if nothing changed. */
export function observed(
  container: LocalContainer,
  status: ContainerStatus | undefined,
  nowMs: number,
): LocalContainer {
  if (container.state === 'stopped') return container;
  if (status?.state === 'running') {
    const startedAt = status.startedAt ?? container.startedAt ?? nowMs;
    if (container.state === 'running' && container.startedAt === startedAt) return container;
    return { ...container, state: 'running', message: null, exitCode: null, startedAt, stoppedAt: null };
  }
  if (status?.state === 'paused') {
    if (container.state === 'paused') return container;
    return { ...container, state: 'paused', message: 'it was paused' };
  }
  if ((container.state !== 'running' && container.state !== 'paused') || container.stopping) return container;
  if (status?.leaseEnded) return leaseEndedState(container, status, 'its lease ended; its keeper ended it');
  const exitCode = status?.exitCode ?? null;
  const said = status?.lastOutput?.trim().slice(-1_000);
  const ended = status
    ? `ended by itself with code ${exitCode ?? 'unknown'}`
    : 'its runtime has it no longer';
  const stoppedAt = status?.exitedAt ?? nowMs;
  const settled = stoppedAt - (container.startedAt ?? stoppedAt) >= limits.agentSettledMs;
  return failed({ ...container, exitCode, stoppedAt, failures: settled ? 0 : container.failures }, nowMs, {
    state: 'failed',
    message: said ? `${ended}: ${said}` : ended,
  });
}

/** It was ended because of its lease; it goes on with a new one. Without an exit that was seen there is no time of it. */
export function leaseEndedState(
  container: LocalContainer,
  status: ContainerStatus,
  message: string,
): LocalContainer {
  const { exitCode = null, exitedAt = null } = status;
  const stoppedAt = exitCode === null ? null : exitedAt;
  return { ...container, state: 'leaseEnded', message, exitCode, stoppedAt, failures: 0, retryAt: 0 };
}

/** After something went wrong: when it is tried again is doubled each time. */
export function failed(
  container: LocalContainer,
  nowMs: number,
  { state, message }: { state: 'failed' | 'refused'; message: string },
): LocalContainer {
  const failures = container.failures + 1;
  const backoffMs = Math.min(limits.agentBackoffMaxMs, limits.agentBackoffFirstMs * 2 ** (failures - 1));
  return { ...container, state, message: message.slice(0, 4_000), failures, retryAt: nowMs + backoffMs };
}

export function reportOf(container: LocalContainer): ReportedContainer {
  const { uid, deployment, manifestDigest, state, message, exitCode, startedAt, stoppedAt } = container;
  return { uid, deployment, manifestDigest, state, message, exitCode, startedAt, stoppedAt };
}
