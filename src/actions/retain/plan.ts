import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { type Repository, repositoriesOfHome } from '../../records/catalog/repositories.ts';
import type { Database } from '../../records/db/database.ts';
import { retentionFacts } from '../../records/retention/facts.ts';
import { retentionRules, rulesOver } from '../../records/retention/rules.ts';
import { type RetentionItem, retentionVerdict } from '../../records/retention/verdict.ts';

export interface RetainDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly region: string;
}

/** What would go from each repository now, and why the rest stays. */
export interface RetentionPlan {
  readonly items: readonly (RetentionItem & { readonly repository: string })[];
  /** Of all repositories, also beyond the items. */
  readonly goes: number;
  readonly stays: number;
  /** False: there are more items than were listed. */
  readonly complete: boolean;
}

/** The dry run of `retain`, over repositories whose home is here. */
export async function retentionPlan(
  { database, clock, region }: RetainDeps,
  matches: (repository: Repository) => boolean,
): Promise<RetentionPlan> {
  const db = database.read;
  const rules = await retentionRules(db);
  const items: RetentionPlan['items'][number][] = [];
  let goes = 0;
  let stays = 0;
  for (const repository of await repositoriesOfHome(db, region)) {
    if (!matches(repository)) continue;
    const nowMs = clock.wallMs();
    const facts = await retentionFacts(db, repository, nowMs);
    for (const item of retentionVerdict(facts, rulesOver(rules, repository), nowMs)) {
      if (item.verdict === 'goes') goes += 1;
      else stays += 1;
      if (items.length < limits.retentionPlanItemsMax) items.push({ repository: repository.name, ...item });
    }
  }
  return { items, goes, stays, complete: items.length === goes + stays };
}
