import { regionList as regionListRoute } from '../../contract/regions.ts';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { type Region, regionList } from '../../records/regions/regions.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface RegionDeps {
  readonly database: Database;
  readonly clock: Clock;
}

export function regionRoutes({ database, clock }: RegionDeps): BoundRoute[] {
  return [
    bind(regionListRoute, async () => {
      const regions = await regionList(database.read);
      return { regions: regions.map((region) => regionView(region, clock.wallMs())) };
    }),
  ];
}

function regionView(region: Region, nowMs: number) {
  const self = region.is_self === 1;
  const heardAgoMs = nowMs - (region.last_heard_at ?? 0);
  const lane = (cursor: number, head: number) =>
    self ? null : { cursor, behind: Math.max(0, head - cursor) };
  return {
    name: region.name,
    url: region.url,
    role: region.is_primary === 1 ? ('primary' as const) : ('secondary' as const),
    self,
    location: region.location,
    quarantineLane: lane(region.quarantine_cursor, region.quarantine_head),
    contentLane: lane(region.content_cursor, region.content_head),
    contentSkipped: region.content_skipped,
    stoppedReason: region.stopped_reason,
    lastHeardAt: region.last_heard_at,
    connected: self || heardAgoMs <= limits.connectedMs,
  };
}
