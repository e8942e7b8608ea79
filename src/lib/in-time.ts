import type { Clock } from './clock.ts';
import { LazaretError } from './errors.ts';

/** What `work` gives, if it does so within `ms`; work that is late goes on by itself. @throws unavailable, with `late` as message */
export async function inTime<T>(
  work: Promise<T>,
  { clock, ms, late }: { readonly clock: Pick<Clock, 'sleep'>; readonly ms: number; readonly late: string },
): Promise<T> {
  const answered = new AbortController();
  const tooLate = clock.sleep(ms, answered.signal).then(() => {
    throw new LazaretError('unavailable', late);
  });
  tooLate.catch(() => undefined); // after the answer nobody waits for it
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    answered.abort();
  }
}
