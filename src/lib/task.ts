/**
 * Background work: idempotent, takes no input, is woken by commits *and* a period. The wake lowers latency, the period
 * repairs what a wake missed. Its state is in rows, so that it goes on after a crash where it was.
 */
export interface Task {
  readonly name: string;
  readonly periodMs: number;
  /** How long it rests after a run that found nothing, whatever is committed. Default: `limits.taskGatherMs`. */
  readonly calmMs?: number;
  /** While somebody pushes or pulls, each run waits for a pause in that, so long at most. Default 0: it waits for none. */
  readonly givesWayMs?: number;
  /** Does what is due now, in small steps. @returns whether there was anything, so that tests can drain until nothing is left */
  run(signal: AbortSignal): Promise<'worked' | 'idle'>;
}
