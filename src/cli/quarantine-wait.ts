import { type Client, call } from '../client/client.ts';
import { quarantineShow } from '../contract/quarantines.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { systemClock } from '../lib/clock.ts';
import type { CliIo } from './io.ts';
import { type OutputFormat, print } from './output.ts';

type State = RouteAnswer<typeof quarantineShow>;

export interface WaitAsk {
  readonly quarantine: State['quarantine'];
  readonly output: OutputFormat;
  readonly waitMs: number;
}

const pollMs = 50;

/** Shows which regions have acknowledged this version, after waiting for all of them as long as was asked. */
export async function waitForRegions(io: CliIo, client: Client, ask: WaitAsk): Promise<void> {
  const { name, version } = ask.quarantine;
  const until = systemClock.bootMs() + ask.waitMs;
  let state = await call(client, quarantineShow, { params: { name } }, { signal: io.signal });
  while (missing(state, version).length > 0 && systemClock.bootMs() < until) {
    await systemClock.sleep(pollMs, io.signal);
    state = await call(client, quarantineShow, { params: { name } }, { signal: io.signal });
  }
  const shown = state;
  await print(io, ask.output, shown, () => `${name}  ${verbOf(shown)} · ${acknowledgedText(shown)}`);
  if (ask.waitMs > 0 && missing(state, version).length > 0) io.exit(3);
}

/** `home at once · away 0.21 s · ap not yet`. */
export function acknowledgedText(state: State): string {
  const { origin, version } = state.quarantine;
  const since = state.quarantine.changedAt;
  return state.radius.regions
    .map((region) => {
      if (region === origin) return `${region} at once`;
      const answer = state.acknowledgements.find((one) => one.region === region);
      if (!answer || answer.version < version || answer.acknowledgedAt === null) return `${region} not yet`;
      return `${region} ${(Math.max(0, answer.acknowledgedAt - since) / 1000).toFixed(2)} s`;
    })
    .join(' · ');
}

function missing(state: State, version: number): string[] {
  const { origin } = state.quarantine;
  const answered = state.acknowledgements.filter((one) => one.version >= version).map((one) => one.region);
  return state.radius.regions.filter((region) => region !== origin && !answered.includes(region));
}

function verbOf(state: State): string {
  if (state.quarantine.releasedAt !== null) return 'released';
  return state.quarantine.destroyRequestedAt === null ? 'refused at every door' : 'to be destroyed';
}
