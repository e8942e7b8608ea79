import type { Clock } from '../../lib/clock.ts';
import type { GuardedFetch } from '../../outbound/guarded-fetch.ts';
import type { FeedState } from '../../records/advisories/feeds.ts';
import type { Database } from '../../records/db/database.ts';

/** As it is configured. */
export interface AdvisoryFeed {
  readonly name: string;
  readonly url: string;
  readonly everyMs: number;
}

export interface FeedDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly fetchOutbound: GuardedFetch;
}

export const feedActor = 'advisory-feed';

/** RFC 9110, 13.1: where there is an entity tag, it decides. */
export function ifChanged({ etag, lastModified }: FeedState): Record<string, string> {
  return {
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
  };
}
