import type { Selectable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import { type SbomFormat, sbomFormats } from '../../oci/sbom-formats.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { SbomRuleTable } from '../db/tables/catalog.ts';
import { cursorSet, logHead } from '../log/log.ts';

/** Which repositories want a bill of materials beside each of their images, in which formats (actions/describe/attach-sbom.ts). */
export interface SbomRule {
  /** `B-3` */
  readonly name: string;
  /** Whose repositories it is over; null: everybody's, a rule of the operator. */
  readonly account: string | null;
  readonly repositoryGlob: string;
  readonly formats: readonly SbomFormat[];
  readonly createdAt: number;
  readonly createdBy: string;
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
  repository: { readonly name: string; readonly account: string },
): readonly SbomFormat[] {
  const wanted = new Set(rules.filter((rule) => isOver(rule, repository)).flatMap(({ formats }) => formats));
  return sbomFormats.filter((format) => wanted.has(format));
}

function isOver(
  { account, repositoryGlob }: SbomRule,
  repository: { readonly name: string; readonly account: string },
): boolean {
  return (account === null || account === repository.account) && globMatcher(repositoryGlob)(repository.name);
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
      name: `B-${number}`,
      account: rule.account,
      repository_glob: rule.repositoryGlob,
      formats: JSON.stringify(rule.formats),
      created_at: tx.nowMs,
      created_by: rule.author,
      removed_at: null,
      removed_by: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  emitChange(tx, { rule: ruleOf(row), actor: rule.author, type: 'sbomRule.set' });
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
  emitChange(tx, { rule: ruleOf(row), actor, type: 'sbomRule.removed' });
  return ruleOf(row);
}

function emitChange(tx: Tx, change: { rule: SbomRule; actor: string; type: string }): void {
  tx.emit({
    type: change.type,
    lane: 'local',
    ...(change.rule.account === null ? {} : { account: change.rule.account }),
    subject: change.rule.name,
    actor: change.actor,
    data: { ...change.rule },
  });
}

function ruleOf(row: Selectable<SbomRuleTable>): SbomRule {
  return {
    name: row.name,
    account: row.account,
    repositoryGlob: row.repository_glob,
    formats: JSON.parse(row.formats),
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}
