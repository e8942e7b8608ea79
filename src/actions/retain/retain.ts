import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { manifestsLocked } from '../../records/catalog/manifests.ts';
import { type Repository, repositoriesOfHome } from '../../records/catalog/repositories.ts';
import { manifestTake, tagTake } from '../../records/catalog/take.ts';
import { clockSuspicion } from '../../records/collection/collector-state.ts';
import type { Tx } from '../../records/db/database.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { retentionFacts, retentionFactsAround } from '../../records/retention/facts.ts';
import { type RetentionRule, retentionRules, rulesOver } from '../../records/retention/rules.ts';
import { type RetentionStamp, retentionStamp, retentionStampHolds } from '../../records/retention/stamp.ts';
import { type RetentionItem, retentionVerdict } from '../../records/retention/verdict.ts';
import type { RetainDeps } from './plan.ts';

/**
 * Retention takes references away, never bytes: tags that no rule keeps, and manifests that nothing has named for as long
 * as a rule says. What it takes is in the trash, and the collector does the rest.
 *
 * It decides over a whole repository outside any transaction, then takes in small ones. Each locks the rows of its
 * manifests, as a push of them does, and decides anew for them: what was pushed, tagged, pulled, named by an index, pinned,
 * deployed or quarantined meanwhile stays. If a rule changed, a mark came or somebody deleted a tag, the latest tags may be
 * others: then it decides over the whole repository again.
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
    calmMs: limits.taskCalmMs,
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
export async function retain(deps: RetainDeps, signal?: AbortSignal): Promise<Retained> {
  const { database, region } = deps;
  let tags = 0;
  let manifests = 0;
  if ((await retentionRules(database.read)).length === 0) return { tags, manifests };
  // Rules go by the time of day: while the clock is in doubt they are not asked.
  if (await clockSuspicion(database.read)) return { tags, manifests };
  for (const repository of await repositoriesOfHome(database.read, region))
    for (let attempt = 1; attempt <= attemptsMax && !signal?.aborted; attempt++) {
      const taken = await retainRepository(deps, repository, signal);
      tags += taken.tags;
      manifests += taken.manifests;
      if (!taken.stale) break;
    }
  return { tags, manifests };
}

/** What changed so often that no decision lasts is left to the next pass. */
const attemptsMax = 5;

type Taken = Retained & { readonly stale: boolean };

async function retainRepository(
  { database, clock }: RetainDeps,
  repository: Repository,
  signal: AbortSignal | undefined,
): Promise<Taken> {
  const taken = { tags: 0, manifests: 0, stale: false };
  const stamp = await retentionStamp(database.read);
  const rules = rulesOver(stamp.rules, repository);
  if (rules.length === 0) return taken;
  const facts = await retentionFacts(database.read, repository, clock.wallMs());
  const ids = new Map(facts.manifests.map((manifest) => [manifest.digest, manifest.id]));
  const setAt = new Map(facts.tags.map((tag) => [tag.name, tag.setAt]));
  const going = retentionVerdict(facts, rules, clock.wallMs())
    .filter(isTakenByItself)
    .map((item) => ({
      item,
      manifestId: ids.get(item.digest) ?? 0,
      setAt: setAt.get(item.tag ?? '') ?? null,
    }));
  for (let at = 0; at < going.length && !taken.stale && !signal?.aborted; at += limits.retentionBatch) {
    const batch = going.slice(at, at + limits.retentionBatch);
    const done = await database.transact((tx) => takeBatch(tx, { repository, stamp, rules, batch }));
    taken.tags += done.tags;
    taken.manifests += done.manifests;
    taken.stale = done.stale;
  }
  return taken;
}

/** What goes with its subject is taken with it. */
function isTakenByItself(item: RetentionItem): boolean {
  return item.verdict === 'goes' && item.reason !== 'withSubject';
}

interface Batch {
  readonly repository: Repository;
  readonly stamp: RetentionStamp;
  readonly rules: readonly RetentionRule[];
  readonly batch: readonly {
    readonly item: RetentionItem;
    readonly manifestId: number;
    /** Of a tag: when it had been set. */
    readonly setAt: number | null;
  }[];
}

/** Those of the batch that still go; none if the decision is stale as a whole. */
async function takeBatch(tx: Tx, { repository, stamp, rules, batch }: Batch): Promise<Taken> {
  const taken = { tags: 0, manifests: 0, stale: false };
  const manifestIds = [...new Set(batch.map(({ manifestId }) => manifestId))];
  await manifestsLocked(tx, manifestIds);
  if (!(await retentionStampHolds(tx.db, stamp, { repositoryId: repository.id, by: actor })))
    return { ...taken, stale: true };
  const facts = await retentionFactsAround(tx.db, repository, { manifestIds, nowMs: tx.nowMs });
  const verdicts = retentionVerdict(facts, rules.map(withoutLatest), tx.nowMs).filter(isTakenByItself);
  const still = new Map(verdicts.map((item) => [keyOf(item), item]));
  const setAt = new Map(facts.tags.map((tag) => [tag.name, tag.setAt]));
  const scope = { repository: repository.name, account: repository.account };
  for (const decided of batch) {
    const item = still.get(keyOf(decided.item));
    if (!item || item.digest !== decided.item.digest) continue;
    if (item.tag !== null && setAt.get(item.tag) !== decided.setAt) continue;
    // The door says what is quarantined.
    if (await refusalOfManifest(tx.db, scope, decided.manifestId)) continue;
    const taking = { repository, actor, cause: item.rule };
    const manifest = { id: decided.manifestId, digest: item.digest };
    if (item.tag === null) taken.manifests += (await manifestTake(tx, taking, manifest)) ? 1 : 0;
    else taken.tags += (await tagTake(tx, taking, { name: item.tag, manifestId: manifest.id })) ? 1 : 0;
  }
  return taken;
}

/** Whether a tag was one of the latest has been decided over all of them; it was not, and the stamp says that it is not. */
function withoutLatest(rule: RetentionRule): RetentionRule {
  return rule.keepLatest === null ? rule : { ...rule, keepLatest: 0 };
}

function keyOf(item: RetentionItem): string {
  return item.tag === null ? item.digest : `:${item.tag}`;
}
