import type { Selectable } from 'kysely';
import { limits } from '../../lib/limits.ts';
import {
  isRuleOver,
  type RepositoryRule,
  type RuledRepository,
  rowOfRule,
  ruleChanged,
  ruleOfRow,
} from '../catalog/repository-rules.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { RetentionRuleTable } from '../db/tables/catalog.ts';

/** What a rule says of the repositories that it is over; null or none: it does not say. Milliseconds. */
export interface RetentionTerms {
  readonly repositoryGlob: string;
  /** The tags that it is about; none: all. */
  readonly tags: readonly string[];
  /** Tags that always stay. */
  readonly keepTags: readonly string[];
  /** How many of its tags stay, the most recently set first. */
  readonly keepLatest: number | null;
  readonly keepPushedMs: number | null;
  readonly keepPulledMs: number | null;
  /** How long a manifest stays that nothing names. */
  readonly untaggedMs: number | null;
}

export interface RetentionRule extends RetentionTerms, RepositoryRule {}

/** Oldest first. */
export async function retentionRules(db: Reader): Promise<RetentionRule[]> {
  const rows = await db
    .selectFrom('retention_rules')
    .selectAll()
    .where('removed_at', 'is', null)
    .orderBy('id')
    .limit(limits.retentionRulesMax)
    .execute();
  return rows.map(ruleOf);
}

export async function retentionRuleNamed(db: Reader, name: string): Promise<RetentionRule | undefined> {
  const row = await db
    .selectFrom('retention_rules')
    .selectAll()
    .where('name', '=', name)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  return row && ruleOf(row);
}

/** Those that are over the repository. */
export function rulesOver(rules: readonly RetentionRule[], repository: RuledRepository): RetentionRule[] {
  return rules.filter((rule) => isRuleOver(rule, repository));
}

export async function retentionRuleAdd(
  tx: Tx,
  rule: RetentionTerms & { readonly account: string | null; readonly author: string },
): Promise<RetentionRule> {
  const row = await tx.db
    .insertInto('retention_rules')
    .values({
      ...rowOfRule(tx, { ...rule, name: `R-${await nextNumber(tx, 'retention_rules')}` }),
      tags: JSON.stringify(rule.tags),
      keep_tags: JSON.stringify(rule.keepTags),
      keep_latest: rule.keepLatest,
      keep_pushed_ms: rule.keepPushedMs,
      keep_pulled_ms: rule.keepPulledMs,
      untagged_ms: rule.untaggedMs,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ruleChanged(tx, { rule: ruleOf(row), actor: rule.author, type: 'retentionRule.set' });
  return ruleOf(row);
}

/** @returns undefined if there is no such rule */
export async function retentionRuleRemove(
  tx: Tx,
  { name, actor }: { name: string; actor: string },
): Promise<RetentionRule | undefined> {
  const row = await tx.db
    .updateTable('retention_rules')
    .set({ removed_at: tx.nowMs, removed_by: actor })
    .where('name', '=', name)
    .where('removed_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!row) return undefined;
  ruleChanged(tx, { rule: ruleOf(row), actor, type: 'retentionRule.removed' });
  return ruleOf(row);
}

function ruleOf(row: Selectable<RetentionRuleTable>): RetentionRule {
  return {
    ...ruleOfRow(row),
    tags: JSON.parse(row.tags),
    keepTags: JSON.parse(row.keep_tags),
    keepLatest: row.keep_latest,
    keepPushedMs: row.keep_pushed_ms,
    keepPulledMs: row.keep_pulled_ms,
    untaggedMs: row.untagged_ms,
  };
}
