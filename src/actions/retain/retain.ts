import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { manifestsLocked } from '../../records/catalog/manifests.ts';
import { type Repository, repositoriesOfHome } from '../../records/catalog/repositories.ts';
import { manifestTake, tagTake } from '../../records/catalog/take.ts';
import { clockSuspicion } from '../../records/collection/collector-state.ts';
import type { Tx } from '../../records/db/database.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { retentionFacts } from '../../records/retention/facts.ts';
import { retentionRules, rulesOver } from '../../records/retention/rules.ts';
import { type RetentionItem, retentionVerdict } from '../../records/retention/verdict.ts';
import type { RetainDeps } from './plan.ts';

/**
 * Retention takes references away, never bytes: tags that no rule keeps, and manifests that nothing has named for as long
 * as a rule says. What it takes is in the trash, and the collector does the rest.
 *
 * It decides outside any transaction, then takes in small ones, each of which locks the rows of its manifests, as a push of
 * them does, and decides anew from what is there then. So what was pushed, tagged, named by an index, pinned, deployed or
 * quarantined meanwhile stays, and so does what a rule kept that came meanwhile.
 */
export interface Retained {
  readonly tags: number;
  readonly manifests: number;
}

const actor = 'retention';
/** Rests at most so long between two looks at whether the interval is over. */
const lookMs = 60_000;

/** @param intervalMs between two passes; a commit does not shorten it */
export function retainTask(deps: RetainDeps, intervalMs: number): Task {
  let nextAtMs = 0;
  return {
    name: 'retain',
    periodMs: Math.min(intervalMs, lookMs),
    run: async (signal) => {
      const bootMs = deps.clock.bootMs();
      if (bootMs < nextAtMs) return 'idle';
      const { tags, manifests } = await retain(deps, signal);
      nextAtMs = bootMs + intervalMs;
      return tags + manifests > 0 ? 'worked' : 'idle';
    },
  };
}

/** One pass over the repositories whose home is here. */
export async function retain(
  { database, clock, region }: RetainDeps,
  signal?: AbortSignal,
): Promise<Retained> {
  const rules = await retentionRules(database.read);
  let tags = 0;
  let manifests = 0;
  // Its rules go by the time of day: while the clock is in doubt they are not asked.
  if (rules.length === 0 || (await clockSuspicion(database.read))) return { tags, manifests };
  for (const repository of await repositoriesOfHome(database.read, region)) {
    const over = rulesOver(rules, repository);
    if (over.length === 0) continue;
    const facts = await retentionFacts(database.read, repository, clock.wallMs());
    const going = retentionVerdict(facts, over, clock.wallMs()).filter(isTakenByItself);
    const ids = new Map(facts.manifests.map((manifest) => [manifest.digest, manifest.id]));
    for (let at = 0; at < going.length && !signal?.aborted; at += limits.retentionBatch) {
      const batch = going.slice(at, at + limits.retentionBatch);
      const taken = await database.transact(async (tx) => {
        await manifestsLocked(
          tx,
          batch.map((item) => ids.get(item.digest)).filter((id) => id !== undefined),
        );
        return takeBatch(tx, repository, batch);
      });
      tags += taken.tags;
      manifests += taken.manifests;
    }
  }
  return { tags, manifests };
}

/** What goes with its subject is taken with it. */
function isTakenByItself(item: RetentionItem): boolean {
  return item.verdict === 'goes' && item.reason !== 'withSubject';
}

/** With their rows locked, those of the batch that still go. */
async function takeBatch(tx: Tx, repository: Repository, batch: readonly RetentionItem[]): Promise<Retained> {
  const wanted = new Set(batch.map(keyOf));
  const rules = rulesOver(await retentionRules(tx.db), repository);
  const facts = await retentionFacts(tx.db, repository, tx.nowMs);
  const ids = new Map(facts.manifests.map((manifest) => [manifest.digest, manifest.id]));
  const scope = { repository: repository.name, account: repository.account };
  let tags = 0;
  let manifests = 0;
  for (const item of retentionVerdict(facts, rules, tx.nowMs)) {
    const id = ids.get(item.digest);
    if (!isTakenByItself(item) || !wanted.has(keyOf(item)) || id === undefined) continue;
    // The door has the last word on what is quarantined.
    if (await refusalOfManifest(tx.db, scope, id)) continue;
    const taking = { repository, actor, cause: item.rule };
    if (item.tag === null) manifests += (await manifestTake(tx, taking, { id, digest: item.digest })) ? 1 : 0;
    else tags += (await tagTake(tx, taking, { name: item.tag, manifestId: id })) ? 1 : 0;
  }
  return { tags, manifests };
}

function keyOf(item: RetentionItem): string {
  return item.tag === null ? item.digest : `:${item.tag}`;
}
