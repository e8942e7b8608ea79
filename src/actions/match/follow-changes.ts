/**
 * Follows a list of what has changed (https://google.github.io/osv.dev/data/): `TIME,ID` a line, newest first, with each
 * document beside it as `ID.json` and all of them in `all.zip`. Read down to the newest time that was imported before,
 * that one included, since several may share it. The first time, and when too much has changed, the zip is taken. A document
 * that is listed and not there holds up no other: while it is new it is an error, with which the list is read again; later
 * its source has taken it away, and what it said stands.
 */
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { textLines } from '../../lib/text-lines.ts';
import type { FeedState } from '../../records/advisories/feeds.ts';
import { readOsvDocument } from '../../versions/osv/read-documents.ts';
import { type AdvisoryFeed, type FeedDeps, feedActor, ifChanged } from './feed-source.ts';
import { DocumentImport } from './import-advisories.ts';
import { importFeed } from './import-feed.ts';

export interface Following {
  readonly feed: AdvisoryFeed;
  readonly before: FeedState;
  readonly signal: AbortSignal;
}

interface Change {
  readonly time: string;
  /** `GHSA-1`, of a list over all ecosystems `npm/GHSA-1`. */
  readonly id: string;
}

/** @returns the state to keep once all has been imported */
export async function followChanges(deps: FeedDeps, { feed, before, signal }: Following): Promise<FeedState> {
  const list = await deps.fetchOutbound(feed.url, { headers: ifChanged(before), signal });
  if (list.status === 304) return before;
  const { changes, newest } = await changesSince(list.body, before.cursor);
  const { etag, lastModified } = list;
  const after = { ...before, etag, lastModified, cursor: newest ?? before.cursor };
  if (changes !== 'all' && changes.length === 0) return after;
  if (changes === 'all') {
    const zip = await deps.fetchOutbound(new URL('all.zip', feed.url).href, { signal });
    await importFeed(deps, { source: feed.name, file: 'all.zip', documents: zip.body, actor: feedActor });
  } else await importChanged(deps, { feed, changes, signal });
  return { ...after, changedAt: deps.clock.wallMs() };
}

async function changesSince(
  body: AsyncIterable<Uint8Array>,
  cursor: string | null,
): Promise<{ changes: readonly Change[] | 'all'; newest: string | undefined }> {
  const changes: Change[] = [];
  let newest: string | undefined;
  for await (const line of textLines(body, 1_024)) {
    const change = changeOf(line);
    newest ??= change.time;
    if (cursor === null) return { changes: 'all', newest };
    if (Date.parse(change.time) < Date.parse(cursor)) break;
    changes.push(change);
    if (changes.length > limits.feedChangesMax) return { changes: 'all', newest };
  }
  return { changes, newest };
}

function changeOf(line: string): Change {
  const [time = '', id = ''] = line.split(',');
  const isId = /^(?:[A-Za-z0-9][\w .-]*\/)?[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/.test(id);
  if (isId && !Number.isNaN(Date.parse(time))) return { time, id };
  throw new LazaretError('invalid', `'${line.slice(0, 200)}' is no line of a list of changes`);
}

async function importChanged(
  deps: FeedDeps,
  {
    feed,
    changes,
    signal,
  }: { readonly feed: AdvisoryFeed; readonly changes: readonly Change[]; readonly signal: AbortSignal },
): Promise<void> {
  const importing = new DocumentImport(deps.database, { source: feed.name, file: '', actor: feedActor });
  let missing: unknown;
  for (let at = 0; at < changes.length; at += limits.feedDocumentsAtOnce) {
    const some = changes.slice(at, at + limits.feedDocumentsAtOnce);
    const read = await Promise.allSettled(
      some.map(({ id }) => document(deps, { url: feed.url, id, signal })),
    );
    for (const [place, reading] of read.entries()) {
      if (reading.status === 'fulfilled') await importing.take(reading.value);
      else if (!isMissing(reading.reason)) throw reading.reason;
      else if (isNew(some[place]?.time, deps.clock)) missing ??= reading.reason;
    }
  }
  await importing.end();
  if (missing !== undefined) throw missing;
}

function isMissing(error: unknown): boolean {
  return error instanceof LazaretError && (error.detail?.status === 404 || error.detail?.status === 410);
}

function isNew(time: string | undefined, clock: Clock): boolean {
  return time === undefined || clock.wallMs() - Date.parse(time) < limits.feedMissingMs;
}

async function document(
  deps: FeedDeps,
  { url, id, signal }: { readonly url: string; readonly id: string; readonly signal: AbortSignal },
) {
  const path = id.split('/').map(encodeURIComponent).join('/');
  const fetched = await deps.fetchOutbound(new URL(`${path}.json`, url).href, { signal });
  const bytes = await collect(fetched.body, limits.advisoryBytesMax);
  return { ...readOsvDocument({ where: 'document', bytes }), where: `${id}.json` };
}
