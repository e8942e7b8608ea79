import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../records/db/database.ts';
import { type Region, regionList } from '../../records/regions/regions.ts';

/** How far each peer is followed: from the rows, so that every server process of a region shows the same. */
export function addRegionMetrics(registry: Registry, database: Database): void {
  gauge('lazaret_replication_quarantine_behind', 'Log positions of the peer not applied yet', (region) =>
    Math.max(0, region.quarantine_head - region.quarantine_cursor),
  );
  gauge('lazaret_replication_content_behind', 'Log positions of the peer not applied yet', (region) =>
    Math.max(0, region.content_head - region.content_cursor),
  );
  gauge(
    'lazaret_replication_quarantine_stopped',
    '1 while the quarantine lane stands still at an event that this version can’t apply',
    (region) => (region.stopped_reason === null ? 0 : 1),
  );
  gauge(
    'lazaret_replication_content_skipped',
    'Content events that this version passed over',
    (region) => region.content_skipped,
  );
  gauge(
    'lazaret_replication_last_heard_seconds',
    'When the peer was last heard, in seconds since 1970',
    (region) => (region.last_heard_at ?? 0) / 1000,
  );

  function gauge(name: string, help: string, value: (region: Region) => number): void {
    new Gauge({
      name,
      help,
      labelNames: ['region'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const region of await regionList(database.read))
          if (region.is_self === 0) this.set({ region: region.name }, value(region));
      },
    });
  }
}
