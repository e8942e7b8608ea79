/** Ends servers without warning, and starts them again. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Actor, anyServer } from './storm.ts';

export interface Chaos {
  /** From one server's start to the next kill, milliseconds: at least, and at most so much more. */
  readonly pauseMs: { readonly least: number; readonly more: number };
  /** And then until so many more pushes were acknowledged, however slow the machine is. */
  readonly pushes: number;
  readonly downMs: number;
  /** How often. */
  readonly kills: number;
}

const lookMs = 20;

/** Until the storm ends, or as often as it is to be. */
export async function killAtTimes(actor: Actor, { pauseMs, pushes, downMs, kills }: Chaos): Promise<void> {
  const { storm, random } = actor;
  for (let killed = 0; killed < kills; killed += 1) {
    const enough = storm.counts.pushes + pushes;
    let pause = pauseMs.least + random.below(pauseMs.more);
    do {
      await delay(pause, undefined, { signal: storm.ending }).catch(() => {});
      pause = lookMs;
    } while (storm.counts.pushes < enough && !storm.ending.aborted);
    if (storm.ending.aborted) return;
    await storm.fleet.killAndRestart(anyServer(actor).name, random.below(downMs));
  }
}
