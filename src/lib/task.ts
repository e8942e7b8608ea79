/**
 * Background work: idempotent, takes no input, is woken by commits *and* a period. The wake lowers latency, the period
 * repairs what a wake missed. Its state is in rows, so that it goes on after a crash where it was.
 */
export interface Task {
  readonly name: string;
  readonly periodMs: number;
  /** How long it rests at least, whatever is committed: for what nobody waits for. Default 0: it runs at once. */
  readonly calmMs?: number;
  /** Does what is due now, in small steps. @returns whether there was anything, so that tests can drain until nothing is left */
  run(signal: AbortSignal): Promise<'worked' | 'idle'>;
}
