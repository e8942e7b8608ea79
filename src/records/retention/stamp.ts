import type { Reader } from '../db/engine.ts';
import { type RetentionRule, retentionRules } from './rules.ts';

/**
 * What a decision over a whole repository was made from, beside the rows of what goes: whether a tag is one of the latest
 * hangs on all others. If a rule changed, a mark came, or somebody deleted a tag, one that was to go may have to stay.
 */
export interface RetentionStamp {
  readonly rules: readonly RetentionRule[];
  readonly lastMark: number;
  readonly lastTrash: number;
}

export async function retentionStamp(db: Reader): Promise<RetentionStamp> {
  const rules = await retentionRules(db);
  const mark = await db
    .selectFrom('marks')
    .select((e) => e.fn.max('id').as('id'))
    .executeTakeFirst();
  const trash = await db
    .selectFrom('tag_trash')
    .select((e) => e.fn.max('id').as('id'))
    .executeTakeFirst();
  return { rules, lastMark: Number(mark?.id ?? 0), lastTrash: Number(trash?.id ?? 0) };
}

/** @param by whose own deletions don't count */
export async function retentionStampHolds(
  db: Reader,
  stamp: RetentionStamp,
  { repositoryId, by }: { repositoryId: number; by: string },
): Promise<boolean> {
  const rules = await retentionRules(db);
  const names = (list: readonly RetentionRule[]) => list.map(({ name }) => name).join();
  if (names(rules) !== names(stamp.rules)) return false;
  const mark = await db
    .selectFrom('marks')
    .select('id')
    .where('id', '>', stamp.lastMark)
    .limit(1)
    .executeTakeFirst();
  if (mark) return false;
  const deleted = await db
    .selectFrom('tag_trash')
    .select('id')
    .where('id', '>', stamp.lastTrash)
    .where('repository_id', '=', repositoryId)
    .where('deleted_by', '!=', by)
    .limit(1)
    .executeTakeFirst();
  return deleted === undefined;
}
