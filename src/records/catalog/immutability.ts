import type { Selectable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { ImmutabilityRuleTable } from '../db/tables/catalog.ts';
import {
  isRuleOver,
  type RepositoryRule,
  type RuledRepository,
  rowOfRule,
  ruleChanged,
  ruleOfRow,
} from './repository-rules.ts';

/**
 * Tags that stay what they are. Under a rule a tag, once set, is neither moved to another manifest nor deleted, by itself
 * or with its manifest, nor taken by retention; setting it to the same manifest again is no move. A rule is asked in the
 * transaction that would change the tag.
 */
export interface ImmutabilityRule extends RepositoryRule {
  readonly exceptTags: readonly string[];
}

/** Oldest first. */
export async function immutabilityRules(db: Reader): Promise<ImmutabilityRule[]> {
  const rows = await db
    .selectFrom('immutability_rules')
    .selectAll()
    .where('removed_at', 'is', null)
    .orderBy('id')
    .limit(limits.immutabilityRulesMax)
    .execute();
  return rows.map(ruleOf);
}

/** The name of the rule that a tag of the repository is under. */
export async function immutabilityOver(
  db: Reader,
  repository: RuledRepository,
): Promise<(tag: string) => string | undefined> {
  const rules = (await immutabilityRules(db))
    .filter((rule) => isRuleOver(rule, repository))
    .map(({ name, exceptTags }) => ({ name, exempt: exceptTags.map(globMatcher) }));
  return (tag) => rules.find(({ exempt }) => !exempt.some((matches) => matches(tag)))?.name;
}

/** @throws denied, with the tag and the rule in `detail` */
export async function assertTagsMutable(
  db: Reader,
  repository: RuledRepository,
  { tags, what }: { readonly tags: readonly string[]; readonly what: 'moved' | 'deleted' },
): Promise<void> {
  if (tags.length === 0) return;
  const ruleOver = await immutabilityOver(db, repository);
  for (const tag of tags) {
    const rule = ruleOver(tag);
    if (rule === undefined) continue;
    const message = `${repository.name}:${tag} can't be ${what}: it is immutable by rule ${rule}`;
    throw new LazaretError('denied', message, { detail: { tag, rule } });
  }
}

/** @throws conflict if there are as many as there may be */
export async function immutabilityRuleAdd(
  tx: Tx,
  rule: Pick<ImmutabilityRule, 'account' | 'repositoryGlob' | 'exceptTags'> & { readonly author: string },
): Promise<ImmutabilityRule> {
  if ((await immutabilityRules(tx.db)).length >= limits.immutabilityRulesMax)
    throw new LazaretError('conflict', `there are ${limits.immutabilityRulesMax} rules already`);
  const row = await tx.db
    .insertInto('immutability_rules')
    .values({
      ...rowOfRule(tx, { ...rule, name: `I-${await nextNumber(tx, 'immutability_rules')}` }),
      except_tags: JSON.stringify(rule.exceptTags),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ruleChanged(tx, { rule: ruleOf(row), actor: rule.author, type: 'immutabilityRule.set' });
  return ruleOf(row);
}

/** @returns undefined if there is no such rule */
export async function immutabilityRuleRemove(
  tx: Tx,
  { name, actor }: { name: string; actor: string },
): Promise<ImmutabilityRule | undefined> {
  const row = await tx.db
    .updateTable('immutability_rules')
    .set({ removed_at: tx.nowMs, removed_by: actor })
    .where('name', '=', name)
    .where('removed_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!row) return undefined;
  ruleChanged(tx, { rule: ruleOf(row), actor, type: 'immutabilityRule.removed' });
  return ruleOf(row);
}

function ruleOf(row: Selectable<ImmutabilityRuleTable>): ImmutabilityRule {
  return {
    ...ruleOfRow(row),
    exceptTags: JSON.parse(row.except_tags),
  };
}
