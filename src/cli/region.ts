import { Command } from 'commander';
import { call } from '../client/client.ts';
import { regionList } from '../contract/regions.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { timeText } from './words.ts';

interface RegionOptions {
  readonly server?: string;
  readonly output: OutputFormat;
}

type RegionView = RouteAnswer<typeof regionList>['regions'][number];

export function register(program: Command, io: CliIo): void {
  const region = new Command('region').description('Look at the regions');
  region.addCommand(
    serverCommand(
      'ls',
      'List the regions and how far this one has followed each; exits 3 if one is out of reach or stands still',
      'lazaret region ls',
    ).action((options: RegionOptions) => list(io, options)),
  );
  program.addCommand(region);
}

async function list(io: CliIo, options: RegionOptions): Promise<void> {
  const client = await clientOf(io, options);
  const { regions } = await call(client, regionList, {}, { signal: io.signal });
  await print(io, options.output, regions, () => ({
    columns: ['name', 'url', 'role', 'quarantine lane', 'content lane', 'last heard'],
    rows: regions.map((region) => [
      region.self ? `${region.name} (here)` : region.name,
      region.url,
      region.role,
      region.stoppedReason === null ? laneText(region, region.quarantineLane) : 'stopped',
      laneText(region, region.contentLane),
      region.self ? null : heardText(region),
    ]),
  }));
  for (const region of regions)
    if (region.stoppedReason !== null) io.note(`${region.name}: ${region.stoppedReason}`);
  if (regions.some((region) => !region.connected || region.stoppedReason !== null)) io.exit(3);
}

/** A peer that was never heard has not said how far it goes. */
function laneText({ lastHeardAt }: RegionView, lane: RegionView['quarantineLane']): string | null {
  if (lane === null || lastHeardAt === null) return null;
  return lane.behind === 0 ? 'up to date' : `${lane.behind} behind`;
}

function heardText({ lastHeardAt, connected }: RegionView): string {
  const at = lastHeardAt === null ? 'never' : timeText(lastHeardAt);
  return connected ? at : `${at} (out of reach)`;
}
