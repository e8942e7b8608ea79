/**
 * Fetches the configured sources, each when it is due; the primary region's task. What a source was when it was last
 * fetched is in its row, so that after a crash it goes on where it was: `ETag` and `Last-Modified` of a file, which is
 * then fetched only if it has changed; of a list of changes (osv.dev's `modified_id.csv`, newest first) the newest time
 * that has been imported. The row is written after the import, so a crash repeats one and loses none. A source that fails
 * says why, keeps what it gave before, and is tried again later each time.
 */
import type { Clock } from '../../lib/clock.ts';
import { causeChain } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { type FeedState, feedKeep, feedStates, feedsForget } from '../../records/advisories/feeds.ts';
import { type AdvisoryFeed, type FeedDeps, feedActor, ifChanged } from './feed-source.ts';
import { followChanges } from './follow-changes.ts';
import { importFeed } from './import-feed.ts';

const lookMs = 10_000;

export function followFeedsTask(deps: FeedDeps, feeds: readonly AdvisoryFeed[]): Task {
  const failures = new Map<string, number>();
  let begun = false;
  return {
    name: 'followFeeds',
    periodMs: lookMs,
    calmMs: limits.taskCalmMs,
    run: async (signal) => {
      if (begun && feeds.length === 0) return 'idle';
      const states = await feedStates(deps.database.read);
      const gone = [...states.keys()].filter((source) => !feeds.some(({ name }) => name === source));
      if (gone.length > 0) await deps.database.transact((tx) => feedsForget(tx, gone));
      // What is yet to be loaded is unknown until it is.
      const fresh = feeds.filter(({ name }) => !states.has(name)).map(firstState);
      if (fresh.length > 0)
        await deps.database.transact(async (tx) => {
          for (const state of fresh) await feedKeep(tx, state);
        });
      begun = true;
      let worked = false;
      for (const feed of feeds) {
        if (signal.aborted || !isDue(deps.clock, feed, states.get(feed.name), failures)) continue;
        await fetchOne(deps, { feed, state: states.get(feed.name), failures, signal });
        worked = true;
      }
      return worked ? 'worked' : 'idle';
    },
  };
}

function isDue(
  clock: Clock,
  { name, url, everyMs }: AdvisoryFeed,
  state: FeedState | undefined,
  failures: ReadonlyMap<string, number>,
): boolean {
  if (state === undefined || state.url !== url) return true;
  const failed = failures.get(name) ?? 0;
  const retryMs = Math.min(limits.feedRetryMaxMs, limits.feedRetryFirstMs * 2 ** Math.max(0, failed - 1));
  const waitMs =
    state.error === null ? everyMs : Math.max(retryMs, Math.min(everyMs, limits.feedRetryFirstMs));
  // A clock that went back makes it due as well: one fetch too many is no harm.
  return Math.abs(clock.wallMs() - state.checkedAt) >= waitMs;
}

interface FetchOf {
  readonly feed: AdvisoryFeed;
  readonly state: FeedState | undefined;
  readonly failures: Map<string, number>;
  readonly signal: AbortSignal;
}

async function fetchOne(deps: FeedDeps, { feed, state, failures, signal }: FetchOf): Promise<void> {
  const { database, clock } = deps;
  // Of another address nothing is known.
  const before = state?.url === feed.url ? state : firstState(feed);
  try {
    const after = feed.url.endsWith('modified_id.csv')
      ? await followChanges(deps, { feed, before, signal })
      : await fetchFile(deps, { feed, before, signal });
    failures.delete(feed.name);
    const checked = { ...after, checkedAt: clock.wallMs(), error: null };
    await database.transact((tx) => feedKeep(tx, checked));
  } catch (error) {
    if (signal.aborted) return;
    failures.set(feed.name, (failures.get(feed.name) ?? 0) + 1);
    const failed = { ...before, checkedAt: clock.wallMs(), error: causeChain(error).slice(0, 1_000) };
    await database.transact((tx) => feedKeep(tx, failed));
  }
}

function firstState({ name, url }: AdvisoryFeed): FeedState {
  return {
    source: name,
    url,
    etag: null,
    lastModified: null,
    cursor: null,
    checkedAt: 0,
    changedAt: null,
    error: null,
  };
}

async function fetchFile(
  deps: FeedDeps,
  {
    feed,
    before,
    signal,
  }: { readonly feed: AdvisoryFeed; readonly before: FeedState; readonly signal: AbortSignal },
): Promise<FeedState> {
  const fetched = await deps.fetchOutbound(feed.url, { headers: ifChanged(before), signal });
  if (fetched.status === 304) return before;
  const file = new URL(feed.url).pathname.split('/').at(-1) ?? '';
  await importFeed(deps, { source: feed.name, file, documents: fetched.body, actor: feedActor });
  const { etag, lastModified } = fetched;
  return { ...before, etag, lastModified, changedAt: deps.clock.wallMs() };
}
