/**
 * From the acknowledgement of a quarantine in home to the first answer of away that refuses the image. One reader asks
 * away for the manifest again and again, each time as soon as it was answered; both moments are of this process's own
 * monotonic clock. A refusal that comes before the acknowledgement counts as 0.
 */

import type { Story } from '../../demo/story.ts';
import { call } from '../../src/client/client.ts';
import { planApply, planCreate } from '../../src/contract/quarantines.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figureAtMost } from '../figures.ts';
import { pushSubject, type Subject, withTwoRegions } from '../two-regions.ts';

const rounds = 9;
const targetMs = 500;

interface Round {
  readonly applyMs: number;
  readonly refusedMs: number;
  /** The slowest answer of away before it refused: nothing shorter is seen. */
  readonly slowestAskMs: number;
}

export async function* measureRefusal(options: BenchOptions): AsyncGenerator<Figure> {
  options.say(`quarantine → refused: two regions, ${rounds} quarantines`);
  const measured: Round[] = [];
  await withTwoRegions(options, async (story) => {
    await measureRound(story, 'bench-warm-up');
    for (let round = 0; round < rounds; round += 1)
      measured.push(await measureRound(story, `bench-${round}`));
  });
  const applied = measured.map(({ applyMs }) => Math.round(applyMs));
  const slowest = Math.max(...measured.map(({ slowestAskMs }) => slowestAskMs));
  yield figureAtMost(targetMs, {
    name: 'quarantine acknowledged → refused in away',
    unit: 'ms',
    samples: measured.map(({ refusedMs }) => refusedMs),
    note:
      'from the answer of home that acknowledges it (which itself took ' +
      `${Math.min(...applied)} to ${Math.max(...applied)} ms) to the first 403 of away for the manifest by digest, ` +
      `asked over HTTP, one request after another, each answered within ${Math.ceil(slowest)} ms`,
  });
}

async function measureRound(story: Story, name: string): Promise<Round> {
  const subject = await pushSubject(story, name);
  const plan = await planOf(story, subject);
  const { world, signal } = story;
  const client = { url: world.home.url, credentials: world.people.security.credentials };
  const reader = new Reader(story, subject);
  await story.until(`${name} to be served in away`, () => reader.served());
  const startedMs = performance.now();
  const input = { params: { name: plan }, body: { reason: 'a measurement' } };
  const [refusedMs, acknowledgedMs] = await Promise.all([
    reader.untilRefused(),
    call(client, planApply, input, { signal }).then(() => performance.now()),
  ]);
  return {
    applyMs: acknowledgedMs - startedMs,
    refusedMs: Math.max(0, refusedMs - acknowledgedMs),
    slowestAskMs: reader.slowestAskMs,
  };
}

/** @returns its name */
async function planOf({ world, signal }: Story, { packageName, repository }: Subject): Promise<string> {
  const client = { url: world.home.url, credentials: world.people.security.credentials };
  const criteria = { package: { purl: `pkg:npm/${packageName}`, in: 'layer' } };
  const body = { criteria, scope: { image: `${repository}:1` }, reach: 'layer' } as const;
  const plan = await call(client, planCreate, { body }, { signal });
  if (plan.radius.images.length !== 1) throw new Error(`${plan.name} reaches more than ${repository}:1`);
  return plan.name;
}

class Reader {
  slowestAskMs = 0;
  readonly #ask: () => Promise<number>;

  constructor(story: Story, { repository, image }: Subject) {
    const registry = story.registry(story.world.away, story.world.people.acme, repository);
    this.#ask = async () => (await registry.manifest(image.manifest.digest)).status;
  }

  async served(): Promise<boolean> {
    return (await this.#ask()) === 200;
  }

  /** @returns when the first 403 came */
  async untilRefused(): Promise<number> {
    const untilMs = performance.now() + refusedWaitMs;
    while (performance.now() < untilMs) {
      const askedMs = performance.now();
      const status = await this.#ask();
      this.slowestAskMs = Math.max(this.slowestAskMs, performance.now() - askedMs);
      if (status === 403) return performance.now();
      if (status !== 200) throw new Error(`away answered ${status}`);
    }
    throw new Error(`away did not refuse within ${refusedWaitMs / 1000} s`);
  }
}

const refusedWaitMs = 30_000;
