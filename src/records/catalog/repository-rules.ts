import { globMatcher } from '../../lib/globs.ts';
import type { Tx } from '../db/database.ts';

/** What every rule over repositories is; each kind adds its terms, in a table of its own. */
export interface RepositoryRule {
  /** `R-3` */
  readonly name: string;
  /** Whose repositories it is over; null: everybody's, a rule of the operator. */
  readonly account: string | null;
  readonly repositoryGlob: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface RuledRepository {
  readonly name: string;
  readonly account: string;
}

export function isRuleOver(
  { account, repositoryGlob }: Pick<RepositoryRule, 'account' | 'repositoryGlob'>,
  repository: RuledRepository,
): boolean {
  return (account === null || account === repository.account) && globMatcher(repositoryGlob)(repository.name);
}

interface RuleRow {
  readonly name: string;
  readonly account: string | null;
  readonly repository_glob: string;
  readonly created_at: number;
  readonly created_by: string;
}

export function ruleOfRow(row: RuleRow): RepositoryRule {
  return {
    name: row.name,
    account: row.account,
    repositoryGlob: row.repository_glob,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

/** The columns of a rule that begins now. */
export function rowOfRule(
  tx: Tx,
  rule: Pick<RepositoryRule, 'name' | 'account' | 'repositoryGlob'> & { readonly author: string },
) {
  return {
    name: rule.name,
    account: rule.account,
    repository_glob: rule.repositoryGlob,
    created_at: tx.nowMs,
    created_by: rule.author,
    removed_at: null,
    removed_by: null,
  };
}

/** @param change.type `retentionRule.set` */
export function ruleChanged(
  tx: Tx,
  { rule, actor, type }: { rule: RepositoryRule; actor: string; type: string },
): void {
  tx.emit({
    type,
    lane: 'local',
    ...(rule.account === null ? {} : { account: rule.account }),
    subject: rule.name,
    actor,
    data: { ...rule },
  });
}
