import { type Scheduler, Violation } from './scheduler.ts';

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly failure: string | undefined;
  readonly trace: readonly string[];
}

/** @param play throws what it finds */
export async function outcomeOf(
  seed: number,
  scheduler: Scheduler,
  play: () => Promise<void>,
): Promise<Outcome> {
  let failure: string | undefined;
  try {
    await play();
  } catch (error) {
    failure =
      error instanceof Violation
        ? error.message
        : `a defect: ${error instanceof Error ? error.stack : error}`;
    scheduler.say(`VIOLATION ${failure}`);
  }
  return { seed, steps: scheduler.step, failure, trace: scheduler.trace };
}
