/**
 * A lease of a deployment on this instance, as pure functions over a clock. docs/concepts/leases.md has the states, the
 * bound and where it comes from.
 */
import Type, { type Static } from 'typebox';
import type { Assignment } from '../contract/agent.ts';
import { onLeaseEndSchema } from '../contract/fleet.ts';
import { limits } from '../lib/limits.ts';
import type { LocalContainer } from './local-container.ts';

export const leaseSchema = Type.Object({
  deployment: Type.String(),
  /** Boot clock, of the boot that is named. */
  expiresAtBootMs: Type.Number(),
  bootId: Type.String(),
  /** Wall time less boot time when it was asked for; a larger difference now shows that the machine was paused. */
  wallLeadMs: Type.Number(),
  onLeaseEnd: onLeaseEndSchema,
  stopDeadlineMs: Type.Integer(),
});
export type Lease = Readonly<Static<typeof leaseSchema>>;

/** The machine's clocks at one moment, and which boot it is in. */
export interface Moment {
  readonly bootMs: number;
  readonly wallMs: number;
  readonly bootId: string;
}

/**
 * `held`: it may run · `doubtful`: the machine was paused, so nobody knows how much of it is left · `ended` ·
 * `foreign`: of another boot, whose clock says nothing here
 */
export type LeaseState = 'held' | 'doubtful' | 'ended' | 'foreign';

export function leaseState(lease: Lease, now: Moment): LeaseState {
  if (lease.bootId !== now.bootId) return 'foreign';
  if (now.bootMs >= lease.expiresAtBootMs - limits.leaseMarginMs) return 'ended';
  return now.wallMs - now.bootMs - lease.wallLeadMs > limits.pausedMachineMs ? 'doubtful' : 'held';
}

/** After an answer that leaves `remainingMs` from when it was asked for, not from when it came. */
export function leaseRenewed(
  terms: LeaseTerms,
  { asked, remainingMs }: { asked: Moment; remainingMs: number },
): Lease {
  return {
    ...terms,
    expiresAtBootMs: asked.bootMs + remainingMs,
    bootId: asked.bootId,
    wallLeadMs: asked.wallMs - asked.bootMs,
  };
}

export type LeaseTerms = Pick<Lease, 'deployment' | 'onLeaseEnd' | 'stopDeadlineMs'>;

/** What the lease asks for of its container. */
export type LeaseStep =
  | {
      readonly kind: 'endLease';
      readonly container: LocalContainer;
      readonly message: string;
      readonly deadlineMs: number;
    }
  | { readonly kind: 'pause'; readonly container: LocalContainer; readonly message: string }
  | { readonly kind: 'resume'; readonly container: LocalContainer };

/** Looks at states only, so it may be asked again at any time. `canPause`: whether the runtime can. */
export function leaseStep(
  container: LocalContainer,
  lease: Lease,
  { now, canPause }: { now: Moment; canPause: boolean },
): LeaseStep | undefined {
  if (lease.onLeaseEnd === 'keep' || container.stopping) return undefined;
  if (container.state !== 'running' && container.state !== 'paused') return undefined;
  const end = (message: string): LeaseStep => ({
    kind: 'endLease',
    container,
    message,
    deadlineMs: lease.stopDeadlineMs,
  });
  const freeze = (message: string): LeaseStep | undefined => {
    if (container.state === 'paused') return undefined;
    return canPause ? { kind: 'pause', container, message } : end(`${message}; its runtime can't pause it`);
  };
  const state = leaseState(lease, now);
  switch (state) {
    case 'foreign':
      return end('its lease is of another boot of the machine');
    case 'ended':
      return lease.onLeaseEnd === 'pause' ? freeze(leaseEnded) : end(leaseEnded);
    case 'doubtful':
      return freeze('the machine was paused; it goes on with a new lease');
    case 'held':
      return container.state === 'paused' ? { kind: 'resume', container } : undefined;
  }
}

/** The assignments as they stand without a lease: what needs one is not started, and what runs is left to `leaseStep`. */
export function withoutUnleased(
  assignments: readonly Assignment[],
  isHeld: (deployment: string) => boolean,
): Assignment[] {
  return assignments.map((assignment) => {
    const { deployment, action, lease } = assignment;
    const free = !lease || lease.onLeaseEnd === 'keep' || isHeld(deployment);
    return action !== 'run' || free
      ? assignment
      : { ...assignment, action: 'wait', reason: 'it has no lease' };
  });
}

export const leaseEnded = 'its lease ended: home was not heard in time';
