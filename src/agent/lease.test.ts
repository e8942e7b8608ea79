import { describe, expect, it } from 'vitest';
import type { Assignment } from '../contract/agent.ts';
import { ManualClock } from '../lib/clock.ts';
import { type Lease, leaseRenewed, leaseState, leaseStep, type Moment, withoutUnleased } from './lease.ts';
import { type LocalContainer, newContainer } from './local-container.ts';

const assignment: Assignment = {
  ...{ deployment: 'd1', name: 'shop', action: 'run', reason: null, repository: 'acme/shop' },
  ...{ manifestDigest: 'sha256:1', env: {}, stopDeadlineMs: 7_000 },
  lease: { leaseMs: 30_000, onLeaseEnd: 'stop' },
};
const terms = { deployment: 'd1', onLeaseEnd: 'stop', stopDeadlineMs: 7_000 } as const;
const clock = new ManualClock(1_000_000);

function moment(change: Partial<Moment> = {}): Moment {
  return { bootMs: clock.bootMs(), wallMs: clock.wallMs(), bootId: 'boot-1', ...change };
}

/** After so much boot time, and so much more of wall time. */
function later(lease: Lease, { boot, wall = 0 }: { boot: number; wall?: number }): Moment {
  const bootMs = lease.expiresAtBootMs - 30_000 + boot;
  return { bootMs, wallMs: bootMs + lease.wallLeadMs + wall, bootId: 'boot-1' };
}

const lease = leaseRenewed(terms, { asked: moment(), remainingMs: 30_000 });

describe('a lease', () => {
  it('counts from when it was asked for, however late its answer comes', () => {
    const asked = moment();
    clock.advance(20_000);
    const renewed = leaseRenewed(terms, { asked, remainingMs: 30_000 });
    expect(renewed.expiresAtBootMs).toBe(asked.bootMs + 30_000);
    expect(leaseState(renewed, moment())).toBe('held');
    clock.advance(10_000);
    expect(leaseState(renewed, moment())).toBe('ended');
  });

  it.each([
    ['at once', { boot: 0 }, 'held'],
    ['just before its margin', { boot: 27_999 }, 'held'],
    ['within its margin, since jitter only shortens', { boot: 28_000 }, 'ended'],
    ['long after', { boot: 1e9 }, 'ended'],
    ['after a wall clock was set back', { boot: 1_000, wall: -3_600_000 }, 'held'],
    ['after a small correction of the wall clock', { boot: 1_000, wall: 5_000 }, 'held'],
    ['after the machine was paused for longer', { boot: 1_000, wall: 5_001 }, 'doubtful'],
    ['after it was paused and the lease has passed too', { boot: 28_000, wall: 5_001 }, 'ended'],
  ] as const)('%s', (_, passed, state) => {
    expect(leaseState(lease, later(lease, passed))).toBe(state);
  });

  it('says nothing in another boot, whatever the clocks show', () => {
    expect(leaseState(lease, { ...later(lease, { boot: 0 }), bootId: 'boot-2' })).toBe('foreign');
  });
});

describe('what a lease asks for', () => {
  const running: LocalContainer = { ...newContainer('c1', assignment), state: 'running' };
  const paused: LocalContainer = { ...running, state: 'paused' };
  const held = later(lease, { boot: 0 });
  const ended = later(lease, { boot: 30_000 });
  const doubtful = later(lease, { boot: 1_000, wall: 60_000 });
  const foreign = { ...held, bootId: 'boot-2' };

  it.each([
    ['leaves what runs while it is held', 'stop', running, held, undefined],
    ['resumes what is paused once it is held again', 'stop', paused, held, 'resume'],
    ['ends what runs', 'stop', running, ended, 'endLease'],
    ['ends what is paused', 'stop', paused, ended, 'endLease'],
    ['pauses where that was chosen', 'pause', running, ended, 'pause'],
    ['leaves what is paused already', 'pause', paused, ended, undefined],
    ['keeps where that was chosen', 'keep', running, ended, undefined],
    ['pauses after the machine was paused', 'stop', running, doubtful, 'pause'],
    ['waits paused for its next lease', 'stop', paused, doubtful, undefined],
    ['keeps also then where that was chosen', 'keep', running, doubtful, undefined],
    ['ends what is of another boot', 'stop', running, foreign, 'endLease'],
    ['ends what is of another boot also where pause was chosen', 'pause', paused, foreign, 'endLease'],
    ['leaves a start to its worker', 'stop', newContainer('c1', assignment), ended, undefined],
    ['leaves what failed', 'stop', { ...running, state: 'failed' }, ended, undefined],
    ['leaves a stop', 'stop', { ...running, stopping: { reason: 'r', deadlineMs: 1 } }, ended, undefined],
  ] as const)('%s', (_, onLeaseEnd, container, now, kind) => {
    const step = leaseStep(container, { ...lease, onLeaseEnd }, { now, canPause: true });
    expect(step?.kind).toBe(kind);
  });

  it('ends with the stop deadline what its runtime can not pause, and says so', () => {
    const step = leaseStep(running, { ...lease, onLeaseEnd: 'pause' }, { now: ended, canPause: false });
    expect(step).toMatchObject({
      kind: 'endLease',
      deadlineMs: 7_000,
      message: expect.stringContaining("can't pause"),
    });
  });
});

describe('an assignment that needs a lease', () => {
  it.each([
    ['waits without one', assignment, false, 'wait'],
    ['runs with one', assignment, true, 'run'],
    ['stops also without one', { ...assignment, action: 'stop' }, false, 'stop'],
    ['runs also without one, where it is kept at its end', keeping(), false, 'run'],
    ['is not asked where none was chosen', { ...assignment, lease: undefined }, false, 'run'],
  ] as const)('%s', (_, one, isHeld, action) => {
    const { lease: chosen, ...rest } = one;
    const given = chosen ? { ...rest, lease: chosen } : rest;
    expect(withoutUnleased([given], () => isHeld)).toMatchObject([{ action }]);
  });

  function keeping(): Assignment {
    return { ...assignment, lease: { leaseMs: 30_000, onLeaseEnd: 'keep' } };
  }
});
