/** Ends servers without warning, and starts them again. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Actor, anyServer } from './storm.ts';

/** Until the storm ends. */
export async function killAtTimes(actor: Actor): Promise<void> {
  const { storm, random } = actor;
  while (!storm.ending.aborted) {
    await delay(4_000 + random.below(12_000), undefined, { signal: storm.ending }).catch(() => {});
    if (storm.ending.aborted) return;
    await storm.fleet.killAndRestart(anyServer(actor).name, random.below(1_000));
  }
}
