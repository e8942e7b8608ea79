/**
 * Has layers read again whose inventory an older extractor made, or one that did not exist then. The jobs are those of
 * `inspect-task.ts`; this keeps a short queue of them. Nothing but rows says what is left, so it goes on where it was.
 */
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import type { Database } from '../../records/db/database.ts';
import { inventoryVersionOf } from '../../records/inventory/inventory-versions.ts';
import {
  type InspectionProgress,
  inspectionProgress,
  staleLayersEnqueue,
} from '../../records/inventory/stale-layers.ts';
import type { Inspector } from './inspector.ts';

export interface ReinspectDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly inspector: Pick<Inspector, 'extractors'>;
}

export function reinspectTask({ database, clock, inspector }: ReinspectDeps): Task {
  return {
    name: 'reinspect',
    periodMs: 60_000,
    calmMs: limits.taskCalmMs,
    run: async () => {
      const version = await inventoryVersionOf(database, inspector.extractors);
      const enqueued = await staleLayersEnqueue(database, version, {
        queuedMax: limits.reinspectQueuedMax,
        nowMs: clock.wallMs(),
      });
      return enqueued > 0 ? 'worked' : 'idle';
    },
  };
}

export interface InspectionStatus extends Omit<InspectionProgress, 'recent'> {
  readonly version: number;
  /** When the first layer was to be read with this version. */
  readonly since: number;
  readonly layersPerHour: number;
  /** Until none is stale or pending, at this rate; null while none is read. */
  readonly leftMs: number | null;
}

const rateOfMs = 10 * 60_000;
const hourMs = 60 * 60_000;

export async function inspectionStatus({
  database,
  clock,
  inspector,
}: ReinspectDeps): Promise<InspectionStatus> {
  const version = await inventoryVersionOf(database, inspector.extractors);
  const nowMs = clock.wallMs();
  const fromMs = Math.max(version.sinceMs, nowMs - rateOfMs);
  const { recent, ...progress } = await inspectionProgress(database, version, fromMs);
  const left = progress.stale - progress.failed + progress.pending;
  const perMs = recent / Math.max(1, nowMs - fromMs);
  return {
    version: version.id,
    since: version.sinceMs,
    ...progress,
    layersPerHour: Math.round(perMs * hourMs),
    leftMs: left <= 0 ? 0 : recent === 0 ? null : Math.round(left / perMs),
  };
}
