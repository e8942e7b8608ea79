import type { Clock } from '../../lib/clock.ts';
import type { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';

/**
 * The pulls of a process whose background work is done by another: it is told when they begin, and when none has gone on
 * for a moment.
 */
export function busyTold(
  clock: Pick<Clock, 'sleep'>,
  tell: (busy: boolean) => void,
): Pick<Foreground, 'begin'> {
  let going = 0;
  let told = false;
  const lookAgain = async () => {
    do await clock.sleep(limits.foregroundQuietMs);
    while (going > 0);
    told = false;
    tell(false);
  };
  return {
    begin: () => {
      going += 1;
      if (!told) {
        told = true;
        tell(true);
        void lookAgain();
      }
      return () => {
        going -= 1;
      };
    },
  };
}
