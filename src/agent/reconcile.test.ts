import { describe, expect, it } from 'vitest';
import type { Assignment } from '../contract/agent.ts';
import { type LocalContainer, newContainer, observed } from './local-container.ts';
import { reconcile } from './reconcile.ts';

const nowMs = 1_000_000;

function assignment(action: Assignment['action']): Assignment {
  const image = { repository: 'acme/shop', manifestDigest: 'sha256:1' };
  return { deployment: 'd1', name: 'shop', action, reason: null, ...image, env: {}, stopDeadlineMs: 7 };
}

function container(change: Partial<LocalContainer>): LocalContainer {
  return { ...newContainer('c1', assignment('run')), ...change };
}

const stopping = { reason: 'revoked', deadlineMs: 3 };
const running = container({ state: 'running' });
const ended = container({ state: 'failed', retryAt: nowMs });
const resting = container({ state: 'failed', retryAt: nowMs + 1 });
const prepared = container({ state: 'starting' });
const refused = container({ state: 'refused', retryAt: nowMs - 1 });
const leaving = container({ state: 'running', stopping });
const gone = container({ state: 'stopped', stopping });

describe('reconcile', () => {
  it.each([
    ['creates what should run and is not there', 'run', undefined, 'create'],
    ['leaves what should run and does', 'run', running, undefined],
    ['starts again what ended by itself, after its back-off', 'run', ended, 'start'],
    ['lets the back-off pass first', 'run', resting, undefined],
    ['goes on with a start that a crash cut off', 'run', prepared, 'start'],
    ['tries again what the region refused', 'run', refused, 'start'],
    ['finishes a stop before it starts anew', 'run', leaving, 'stop'],
    ['creates anew after a finished stop', 'run', gone, 'create'],
    ['starts nothing while it must wait', 'wait', undefined, undefined],
    ['leaves what runs while it must wait', 'wait', running, undefined],
    ['does not start again while it must wait', 'wait', ended, undefined],
    ['stops what runs', 'stop', running, 'stop'],
    ['stops what is about to start', 'stop', prepared, 'stop'],
    ['stops what rests before it would be started again', 'stop', resting, 'stop'],
    ['has nothing to do where nothing is left', 'stop', undefined, undefined],
    ['has nothing to do once it is stopped', 'stop', gone, undefined],
  ] as const)('%s', (_, action, present, kind) => {
    const steps = reconcile([assignment(action)], present ? [present] : [], nowMs);
    expect(steps.map((step) => step.kind)).toEqual(kind ? [kind] : []);
  });

  it('leaves what no assignment names alone', () => {
    expect(reconcile([], [running, ended], nowMs)).toEqual([]);
  });

  it('finishes a stop that was begun, with its reason, also when nobody names it any more', () => {
    expect(reconcile([], [leaving], nowMs)).toEqual([{ kind: 'stop', container: leaving, ...stopping }]);
  });
});

describe('observed', () => {
  it('adopts what runs', () => {
    const now = observed(prepared, { id: 'c1', state: 'running', startedAt: 5 }, nowMs);
    expect(now).toMatchObject({ state: 'running', startedAt: 5 });
    expect(observed(now, { id: 'c1', state: 'running', startedAt: 5 }, nowMs)).toBe(now);
  });

  it('takes an exit for a failure with its code and last words, and doubles the back-off each time', () => {
    const exit = {
      id: 'c1',
      state: 'exited',
      exitCode: 3,
      exitedAt: nowMs,
      lastOutput: 'no disk\n',
    } as const;
    const first = observed(container({ state: 'running', startedAt: nowMs - 10 }), exit, nowMs);
    expect(first).toMatchObject({
      state: 'failed',
      exitCode: 3,
      message: 'ended by itself with code 3: no disk',
    });
    expect(first.retryAt).toBe(nowMs + 1_000);
    const second = observed({ ...first, state: 'running' }, exit, nowMs);
    expect(second.retryAt).toBe(nowMs + 2_000);
  });

  it('begins the back-off anew for what ran for long', () => {
    const exit = { id: 'c1', state: 'exited', exitCode: 1, exitedAt: nowMs } as const;
    const before = container({ state: 'running', failures: 5, startedAt: nowMs - 60_000 });
    expect(observed(before, exit, nowMs)).toMatchObject({ failures: 1, retryAt: nowMs + 1_000 });
  });

  it('takes what its runtime has lost for a failure', () => {
    expect(observed(running, undefined, nowMs)).toMatchObject({ state: 'failed', exitCode: null });
  });

  it('leaves a container that is being stopped to its worker', () => {
    expect(observed(leaving, { id: 'c1', state: 'exited', exitCode: 0 }, nowMs)).toBe(leaving);
  });
});
