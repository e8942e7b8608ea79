import { describe, expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { ManualClock } from '../../lib/clock.ts';
import { logRead } from '../../records/log/log.ts';
import { clockComplaint, clockConfirm, suspicionWaitedOut } from './clock-guard.ts';

const minute = 60_000;
const hour = 60 * minute;
const seen = { wallMs: 1_000 * hour, bootMs: 10 * hour };

describe('the clock guard', () => {
  const cases: readonly [string, { wall: number; boot: number }, RegExp | undefined][] = [
    ['trusts clocks that go at one pace', { wall: 5 * hour, boot: 5 * hour }, undefined],
    ['trusts a wall clock that gained under an hour', { wall: 60 * minute, boot: minute }, undefined],
    ['doubts one that gained more', { wall: 62 * minute, boot: minute }, /gained 3660 s/],
    ['trusts one that was set back by seconds', { wall: 55_000, boot: minute }, undefined],
    ['doubts one that was set back by more', { wall: 30_000, boot: minute }, /went back by 30 s/],
    ['trusts a machine that was off for a day', { wall: 24 * hour, boot: -9 * hour }, undefined],
    ['doubts a machine that came up earlier than it went', { wall: -hour, boot: -9 * hour }, /went back/],
  ];
  it.each(cases)('%s', (_, { wall, boot }, expected) => {
    const said = clockComplaint(seen, { wallMs: seen.wallMs + wall, bootMs: seen.bootMs + boot });
    if (expected) expect(said).toMatch(expected);
    else expect(said).toBeUndefined();
  });

  it('waits a grace on the boot clock, and anew after a restart of the machine', () => {
    const suspicion = { reason: '', machine: 'a', at: seen };
    const at = (bootMs: number) => suspicionWaitedOut(suspicion, { wallMs: 0, bootMs }, 24 * hour);
    expect([at(10 * hour), at(33 * hour), at(34 * hour), at(5 * hour)]).toEqual([false, false, true, false]);
  });
});

/** A clock whose wall time can be set. */
class JumpingClock extends ManualClock {
  #setMs = 0;

  override wallMs(): number {
    return super.wallMs() + this.#setMs;
  }

  override bootMs(): number {
    return super.wallMs();
  }

  set(byMs: number): void {
    this.#setMs += byMs;
  }
}

describeEngines('the collector, when the clock jumps', (world) => {
  /** An upload that nothing names, whose time is not over. */
  async function strayUpload() {
    const clock = new JumpingClock();
    const house = await openHouse(world, clock);
    await house.pushBlob('acme/shop', await buildLayer([{ path: 'x', content: 'x' }]));
    await house.collect();
    return { house, clock };
  }

  it('takes nothing until a grace has passed on the boot clock', async () => {
    const { house, clock } = await strayUpload();
    clock.set(48 * hour);
    expect(await house.collect()).toMatchObject({ condemned: 0, paused: expect.stringMatching(/gained/) });
    clock.advance(23 * hour);
    expect(await house.collect()).toMatchObject({ condemned: 0, paused: expect.stringMatching(/gained/) });
    clock.advance(hour);
    expect(await house.collect()).toMatchObject({ condemned: 1, paused: null });
  });

  it('takes what is due once an operator has confirmed the clock', async () => {
    const { house, clock } = await strayUpload();
    clock.set(48 * hour);
    await house.collect();
    expect(await clockConfirm(house.deps, 'admin')).toBe(true);
    expect(await clockConfirm(house.deps, 'admin')).toBe(false);
    expect(await house.collect()).toMatchObject({ condemned: 1, paused: null });
    const events = await logRead(house.database.read, { after: 0, limit: 100 });
    expect(events.map((event) => event.type).filter((type) => type.startsWith('clock.'))).toEqual([
      'clock.suspected',
      'clock.confirmed',
    ]);
  });

  it('still sweeps what was condemned before', async () => {
    const { house, clock } = await strayUpload();
    await house.pushBlob('acme/shop', await buildLayer([{ path: 'x', content: 'x' }]));
    clock.set(-hour);
    expect(await house.collect()).toMatchObject({ condemned: 0, collected: 1 });
    expect(await house.storedKeys()).toBe(1);
  });

  it('keeps an upload session that only the jump would have ended', async () => {
    const { house, clock } = await strayUpload();
    clock.set(400 * 24 * hour);
    await house.collect();
    expect(await house.storedKeys()).toBe(1);
  });
});
