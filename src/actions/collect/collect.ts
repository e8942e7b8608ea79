import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { usageFold, usageFoldDue } from '../../records/access/usage.ts';
import { collectorOff } from '../../records/collection/collector-state.ts';
import { forgetArchives } from './archives.ts';
import { clockDoubt } from './clock-guard.ts';
import type { CollectDeps } from './collect-deps.ts';
import { expireMarks } from './expire-marks.ts';
import { reviewDueItems } from './review.ts';
import { sweepCondemned } from './sweep.ts';
import { expireTrash } from './trash.ts';
import { expireUploads } from './uploads.ts';

/**
 * The collector decides from metadata what goes, while pushes and pulls go on. It never walks the store.
 *
 *   marked, retention ended ──┐
 *                             ├─ condemn (one transaction, the blob's row locked) ─→ sweep (bytes, then the row)
 *   changed, grace over ──────┘
 *
 * Accepting a manifest, closing an upload and mounting lock the same row, so that whoever comes second sees the first: a
 * manifest that names a condemned blob is refused, a blob that a manifest has just named is not condemned. A condemned
 * digest that is pushed again gets a new key, and the sweep of the old key can't touch it. A crash between any two steps
 * leaves rows that say what is still to be done.
 *
 * After a restore it does nothing until a scrub has ended. While the clock is in doubt it only sweeps what was condemned
 * before: nothing else ends by a time of day.
 */
export interface Collected {
  /** Manifests that went out of service because a marked layer of theirs went, and those removed after DELETE. */
  readonly manifests: number;
  readonly condemned: number;
  readonly collected: number;
  readonly freedBytes: number;
  /** Why it did not do all of it now. */
  readonly paused: string | null;
}

const actor = 'collector';

export function collectTask(deps: CollectDeps, periodMs: number): Task {
  return {
    name: 'collect',
    periodMs,
    calmMs: limits.taskCalmMs,
    run: async (signal) => {
      const done = await collect(deps, signal);
      return done.manifests + done.condemned + done.collected > 0 ? 'worked' : 'idle';
    },
  };
}

const nothing = { manifests: 0, condemned: 0, collected: 0, freedBytes: 0 };

/** One pass over what is due. */
export async function collect(deps: CollectDeps, signal?: AbortSignal): Promise<Collected> {
  const off = await collectorOff(deps.database.read);
  if (off !== undefined) return { ...nothing, paused: off };
  const doubt = await clockDoubt(deps);
  if (doubt !== undefined) {
    const { keys, sizeBytes } = await sweepCondemned(deps, actor, signal);
    return { ...nothing, collected: keys, freedBytes: sizeBytes, paused: doubt };
  }
  const marked = await expireMarks(deps, actor, signal);
  const reviewed = await reviewDueItems(deps, actor, signal);
  await expireUploads(deps, signal);
  await expireTrash(deps);
  if (await usageFoldDue(deps.database.read)) await deps.database.transact(usageFold);
  const swept = await sweepCondemned(deps, actor, signal);
  await forgetArchives(deps, signal);
  return {
    manifests: marked.manifests + reviewed.manifests,
    condemned: marked.condemned + reviewed.condemned,
    collected: swept.keys,
    freedBytes: swept.sizeBytes,
    paused: null,
  };
}
