import type { Tx } from '../db/database.ts';

/**
 * After a restore the log begins again, under a new epoch, far above every position that it has ever given out. What was
 * appended after the backup is lost here, but followers have seen it: their cursors, and the versions of the objects
 * that they keep (which are positions), are in that gap. So no follower passes over a new event, and everything decided
 * from now on is newer than what anybody knows. A billion is more than the events between a backup and a loss, and leaves
 * room for millions of restores below 2^53.
 */
const gap = 1_000_000_000;

/** Writes the first event of the new epoch into both lanes. @returns the epoch */
export async function logRestart(
  tx: Tx,
  { before, above }: { before: { epoch: string; head: number }; above: number },
): Promise<string> {
  const { value: epoch } = await tx.db
    .selectFrom('settings')
    .select('value')
    .where('key', '=', 'epoch')
    .executeTakeFirstOrThrow();
  const first = Math.ceil(above / gap) * gap + gap;
  for (const [at, lane] of (['quarantine', 'content'] as const).entries())
    await tx.db
      .insertInto('log')
      .values({
        position: first + at,
        event_id: `${tx.region}/${epoch}/${first + at}`,
        origin: tx.region,
        type: 'region.restored',
        lane,
        at: tx.nowMs,
        account: null,
        subject: tx.region,
        actor: 'restore',
        cause: null,
        data: JSON.stringify({ epoch, before: before.epoch, head: before.head }),
        hash: null,
      })
      .execute();
  return epoch;
}
