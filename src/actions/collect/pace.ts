import { setImmediate as others } from 'node:timers/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';

/**
 * How the collector yields to pushes and pulls. Before each step (one transaction, or the deletion of some keys) it asks
 * for its turn:
 *
 *   nobody pushes or pulls ──► at once, a full step
 *   somebody does          ──► after a rest, a small step
 *
 * So on an idle server it runs as fast as it can, on a busy one it takes a small part of the time, and it stands still on
 * neither.
 */
export interface Pace {
  /** Waits until the next step may be taken. @returns how much of a full step it may be: over 0, at most 1 */
  readonly turn: (signal?: AbortSignal) => Promise<number>;
}

/** Yields to nobody. */
export const fullPace: Pace = { turn: async () => 1 };

export function yieldingPace(deps: { readonly clock: Clock; readonly foreground: Foreground }): Pace {
  return {
    turn: async (signal) => {
      // On SQLite a transaction never lets go of the event loop: what came meanwhile is heard now.
      await others();
      if (deps.foreground.isBusy()) await deps.clock.sleep(limits.collectRestMs, signal);
      return deps.foreground.isBusy() ? limits.collectSmallStep : 1;
    },
  };
}
