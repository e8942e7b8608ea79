import type { Selectable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type SbomFormat, sbomFormats } from '../../oci/sbom-formats.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { SbomRuleTable } from '../db/tables/catalog.ts';
import { cursorSet, logHead } from '../log/log.ts';
import {
  isRuleOver,
  type RepositoryRule,
  type RuledRepository,
  rowOfRule,
  ruleChanged,
  ruleOfRow,
} from './repository-rules.ts';

/** Which repositories want a bill of materials beside each of their images, in which formats (actions/describe/attach-sbom.ts). */
export interface SbomRule extends RepositoryRule {
  readonly formats: readonly SbomFormat[];
}

/** Who has read the log up to where. While there is no rule nobody reads it. */
export const sbomFollower = 'sbom';

/** Oldest first. */
export async function sbomRules(db: Reader): Promise<SbomRule[]> {
  const rows = await db
    .selectFrom('sbom_rules')
    .selectAll()
    .where('removed_at', 'is', null)
    .orderBy('id')
    .limit(limits.sbomRulesMax)
    .execute();
  return rows.map(ruleOf);
}

/** Of all rules that are over the repository. */
export function sbomFormatsOver(
  rules: readonly SbomRule[],
  repository: RuledRepository,
): readonly SbomFormat[] {
  const wanted = new Set(
    rules.filter((rule) => isRuleOver(rule, repository)).flatMap(({ formats }) => formats),
  );
  return sbomFormats.filter((format) => wanted.has(format));
}

/** The event of a rule asks for all images that it is over; what was said before the first rule need not be read. */
export async function sbomRuleAdd(
  tx: Tx,
  rule: Pick<SbomRule, 'account' | 'repositoryGlob' | 'formats'> & { readonly author: string },
): Promise<SbomRule> {
  const number = await nextNumber(tx, 'sbom_rules');
  const rules = await sbomRules(tx.db);
  if (rules.length >= limits.sbomRulesMax)
    throw new LazaretError('conflict', `there are ${limits.sbomRulesMax} rules already`);
  if (rules.length === 0) await cursorSet(tx, sbomFollower, await logHead(tx.db));
  const row = await tx.db
    .insertInto('sbom_rules')
    .values({
      ...rowOfRule(tx, { ...rule, name: `B-${number}` }),
      formats: JSON.stringify(rule.formats),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  ruleChanged(tx, { rule: ruleOf(row), actor: rule.author, type: 'sbomRule.set' });
  return ruleOf(row);
}

/** @returns undefined if there is no such rule */
export async function sbomRuleRemove(
  tx: Tx,
  { name, actor }: { name: string; actor: string },
): Promise<SbomRule | undefined> {
  const row = await tx.db
    .updateTable('sbom_rules')
    .set({ removed_at: tx.nowMs, removed_by: actor })
    .where('name', '=', name)
    .where('removed_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!row) return undefined;
  ruleChanged(tx, { rule: ruleOf(row), actor, type: 'sbomRule.removed' });
  return ruleOf(row);
}

function ruleOf(row: Selectable<SbomRuleTable>): SbomRule {
  return {
    ...ruleOfRow(row),
    formats: JSON.parse(row.formats),
  };
}
