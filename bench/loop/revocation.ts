/**
 * From an advisory to a container that has ended. All times are wall-clock milliseconds of one machine: of this process
 * before it sends the import, of home in the event, and of the keeper that saw the container's exit. A round in which the
 * wall clock was set is an error.
 */

import type { Region } from '../../demo/region.ts';
import type { DemoEvent, Story } from '../../demo/story.ts';
import { instanceName } from '../../demo/world.ts';
import { call, callLines } from '../../src/client/client.ts';
import { advisoryImport } from '../../src/contract/advisories.ts';
import { deploymentCreate } from '../../src/contract/deployments.ts';
import { eventList } from '../../src/contract/events.ts';
import { containerList } from '../../src/contract/instances.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtMost } from '../figures.ts';
import { pushSubject, type Subject, startInstance, withTwoRegions } from '../two-regions.ts';

const rounds = 9;
const eventTargetMs = 100;
const stoppedTargetMs = 1_000;
const clockStepMaxMs = 5;

interface Round {
  readonly importMs: number;
  readonly eventMs: number;
  readonly stoppedMs: number;
}

export async function* measureRevocation(options: BenchOptions): AsyncGenerator<Figure> {
  options.say(`import → event → stopped: two regions, ${rounds} containers`);
  const measured: Round[] = [];
  await withTwoRegions(options, async (story) => {
    await startInstance(story);
    await measureRound(story, 'bench-warm-up');
    for (let round = 0; round < rounds; round += 1)
      measured.push(await measureRound(story, `bench-${round}`));
  });
  const imports = measured.map(({ importMs }) => Math.round(importMs));
  yield figureAtMost(eventTargetMs, {
    name: 'advisory import → event',
    unit: 'ms',
    samples: measured.map(({ eventMs }) => eventMs),
    note:
      'from before the request to import one advisory to the time in the event criteria.met; ' +
      `the request itself was answered after ${Math.min(...imports)} to ${Math.max(...imports)} ms`,
  });
  yield figureAtMost(stoppedTargetMs, {
    name: 'advisory import → stopped in away',
    unit: 'ms',
    samples: measured.map(({ stoppedMs }) => stoppedMs),
    note:
      'from the same moment to the exit that was seen of the container in away: a real one (runc), ' +
      'busybox sh that ends at once at TERM',
  });
}

async function measureRound(story: Story, name: string): Promise<Round> {
  const subject = await pushSubject(story, name);
  const deployment = await runSubject(story, subject);
  const { world, signal } = story;
  const { home, away, people } = world;
  const positions = { home: await headOf(story, home), away: await headOf(story, away) };
  const client = { url: home.url, credentials: people.admin.credentials };
  const advisory = Buffer.from(JSON.stringify(advisoryOf(subject)));
  const startedAt = Date.now();
  const startedMs = performance.now();
  const query = { source: 'bench', kind: 'json' } as const;
  await call(client, advisoryImport, { query }, { signal, stream: bytes(advisory) });
  const importMs = performance.now() - startedMs;
  const met = await nextEvent(story, home, {
    after: positions.home,
    is: ({ type, data }) => type === 'io.lazaret.criteria.met.v1' && mentions(data, deployment),
  });
  const stopped = await nextEvent(story, away, {
    after: positions.away,
    is: ({ type, data }) => type === 'io.lazaret.container.stopped.v1' && data.deploymentUid === deployment,
  });
  if (stopped.data.exitCode !== 0) throw new Error(`${name} was killed: exit code ${stopped.data.exitCode}`);
  const stepMs = Math.abs(Date.now() - startedAt - (performance.now() - startedMs));
  if (stepMs > clockStepMaxMs) throw new Error(`the wall clock was set by ${stepMs} ms meanwhile`);
  return { importMs, eventMs: met.at - startedAt, stoppedMs: Number(stopped.data.stoppedAt) - startedAt };
}

/** Deploys it to the instance in away, and waits until home has heard that it runs. @returns the deployment's uid */
async function runSubject(story: Story, { repository, packageName }: Subject): Promise<string> {
  const { world, signal } = story;
  const client = { url: world.home.url, credentials: world.people.acme.credentials };
  const where = { account: 'globex', region: world.away.name, instance: instanceName };
  const body = { name: packageName, reference: `${repository}:1`, ...where };
  const { uid } = await call(client, deploymentCreate, { body }, { signal });
  await story.until(`${packageName} to run`, async () => {
    const { containers } = await call(client, containerList, {}, { signal });
    return containers.some(({ deploymentUid, state }) => deploymentUid === uid && state === 'running');
  });
  return uid;
}

/** As OSV writes it: of severity high, with a fix. */
function advisoryOf({ packageName }: Subject): object {
  return {
    schema_version: '1.6.7',
    id: `BENCH-${packageName}`,
    modified: '2026-01-01T00:00:00Z',
    summary: 'made up for a measurement',
    affected: [
      {
        package: { ecosystem: 'npm', name: packageName },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }],
      },
    ],
    database_specific: { severity: 'HIGH' },
  };
}

interface Wanted {
  /** A position in the region's log. */
  readonly after: number;
  readonly is: (event: DemoEvent) => boolean;
}

/** The first such event after a position; follows the log, as it would cost to ask again and again. */
async function nextEvent(story: Story, region: Region, { after, is }: Wanted): Promise<DemoEvent> {
  const query = { after, follow: true };
  const signal = AbortSignal.any([story.signal, AbortSignal.timeout(eventWaitMs)]);
  for await (const event of callLines(operatorOf(story, region), eventList, { query }, { signal }))
    if (is(event)) return event;
  throw new Error(`the log of ${region.name} ended`);
}

const eventWaitMs = 30_000;

async function headOf(story: Story, region: Region): Promise<number> {
  let head = 0;
  const query = { limit: 100_000 };
  const { signal } = story;
  for await (const event of callLines(operatorOf(story, region), eventList, { query }, { signal }))
    head = event.position;
  return head;
}

function operatorOf({ world }: Story, region: Region) {
  return { url: region.url, credentials: world.people.admin.credentials };
}

function mentions(data: Readonly<Record<string, unknown>>, deploymentUid: string): boolean {
  return JSON.stringify(data).includes(deploymentUid);
}

async function* bytes(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
