/**
 * The work on one container, step by step, each step idempotent: after a crash the reconciler begins it again.
 *
 *     starting → running → (ends by itself: failed → starting …)
 *     any state → stopping (may not be started any more) → copy removed → stopped
 *
 * A stop that comes while it is being started aborts that start first, so there is one worker for a deployment at a time.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment } from '../contract/agent.ts';
import type { Clock } from '../lib/clock.ts';
import { causeChain, type ErrorCode, LazaretError } from '../lib/errors.ts';
import { parseDigest } from '../oci/digest.ts';
import type { ContainerStore } from './container-store.ts';
import type { PullImage } from './image-pull.ts';
import type { LeaseStep } from './lease.ts';
import type { Leases } from './leases.ts';
import { failed, type LocalContainer, leaseEndedState, observed } from './local-container.ts';
import type { Runtime } from './runtimes/runtime.ts';

export interface WorkDeps {
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly store: ContainerStore;
  readonly leases: Leases;
  readonly pullImage: PullImage;
  readonly dataFolder: string;
}

/** Pulls, unpacks, starts. What goes wrong is kept as the container's message. */
export async function startContainer(
  deps: WorkDeps,
  container: LocalContainer,
  { assignment, signal }: { assignment: Assignment; signal: AbortSignal },
): Promise<void> {
  const { uid } = container;
  try {
    await prepareContainer(deps, container, { assignment, signal });
    signal.throwIfAborted();
    await deps.leases.handOver(container);
    if (assignment.lease) deps.leases.assertHeld(assignment);
    await deps.runtime.start(uid, { env: assignment.env, hostname: assignment.name });
    const status = (await deps.runtime.list()).find(({ id }) => id === uid);
    const running = { ...container, state: 'running' as const, startedAt: deps.clock.wallMs() };
    await deps.store.set(observed(running, status, deps.clock.wallMs()));
  } catch (error) {
    if (signal.aborted) return;
    const state = error instanceof LazaretError && refusals.has(error.code) ? 'refused' : 'failed';
    await deps.store.set(failed(container, deps.clock.wallMs(), { state, message: causeChain(error) }));
  }
}

/** TERM, KILL after the deadline; the unpacked copy goes too. @throws what the runtime throws; it is tried again */
export async function stopContainer(
  deps: WorkDeps,
  container: LocalContainer,
  { reason, deadlineMs }: { reason: string; deadlineMs: number },
): Promise<void> {
  const stopping = { ...container, stopping: { reason: reason.slice(0, 4_000), deadlineMs } };
  await deps.store.set(stopping);
  await rm(layoutFolder(deps, container), { recursive: true, force: true });
  const status = await deps.runtime.stop(container.uid, deadlineMs);
  await deps.runtime.remove(container.uid);
  await deps.store.set({
    ...stopping,
    state: 'stopped',
    message: stopping.stopping.reason,
    exitCode: status.exitCode ?? container.exitCode,
    startedAt: status.startedAt ?? container.startedAt,
    stoppedAt: status.exitedAt ?? container.stoppedAt ?? deps.clock.wallMs(),
  });
}

/** Ends, pauses or resumes what a lease asks for; the unpacked copy stays, for the next lease. */
export async function workOnLease(deps: WorkDeps, step: LeaseStep): Promise<void> {
  const { container } = step;
  const { freezer } = deps.runtime;
  switch (step.kind) {
    case 'endLease': {
      const status = await deps.runtime.stop(container.uid, step.deadlineMs);
      return deps.store.set(leaseEndedState(container, status, step.message));
    }
    case 'pause':
      await freezer?.pause(container.uid);
      return deps.store.set({ ...container, state: 'paused', message: step.message });
    case 'resume':
      await freezer?.resume(container.uid);
      return deps.store.set({ ...container, state: 'running', message: null });
  }
}

/** What the region won't give out, so that trying again helps only once it has changed its mind. */
const refusals: ReadonlySet<ErrorCode> = new Set(['denied', 'quarantined', 'grantMissing', 'unauthorized']);

async function prepareContainer(
  deps: WorkDeps,
  { uid }: LocalContainer,
  { assignment, signal }: { assignment: Assignment; signal: AbortSignal },
): Promise<void> {
  if ((await deps.runtime.list()).some(({ id }) => id === uid)) return;
  const folder = layoutFolder(deps, { uid });
  const { repository, manifestDigest } = assignment;
  const image = await deps.pullImage({ repository, digest: parseDigest(manifestDigest), folder }, signal);
  await deps.runtime.prepare(uid, image, signal);
  // The runtime has its own, unpacked copy now.
  await rm(folder, { recursive: true, force: true });
}

function layoutFolder(deps: WorkDeps, { uid }: Pick<LocalContainer, 'uid'>): string {
  return join(deps.dataFolder, 'images', uid);
}
