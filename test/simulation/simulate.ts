/**
 * One seed: its own mixture of work, faults and time, so many steps, and then calm: everything ends, what was promised is
 * pulled, all graces and retentions pass, and nothing may be left that nothing needs.
 */
import { randomSourceReplace } from '../../src/lib/random.ts';
import { type Client, deleteSome, head, pullAll, pullBlob, pushAll, upload } from './clients.ts';
import { type Databases, startMs } from './databases.ts';
import { manifestKey } from './model.ts';
import { collectOnce, destroy, inspectImage, pin, release, setQuarantine } from './operators.ts';
import { SeededRandom } from './random.ts';
import { agree, copyAway, followAway, pullAway } from './replica.ts';
import { Scheduler, Violation } from './scheduler.ts';
import { focusOn, pushables, repositories, tags } from './universe.ts';
import { type Settings, type SimulatedRegion, World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly failure: string | undefined;
  readonly trace: readonly string[];
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const calmStepsMax = 20_000;
const calmRates = { failBefore: 0, lose: 0, late: 0, quickRead: 1 };

const work = {
  push: (client: Client) => {
    const { random } = client.world.scheduler;
    const withChildren = random.chance(0.7);
    const tag = random.chance(0.5) ? random.pick(tags) : '';
    return pushAll(client, {
      repository: pickRepository(client),
      pushable: pickPushable(client),
      tag,
      withChildren,
    });
  },
  pull: (client: Client) => pullAll(client, pickRepository(client), pickPushable(client)),
  uploadBlob: (client: Client) => upload(client, pickRepository(client), pickBlob(client)),
  headBlob: async (client: Client) => {
    await head(client, pickRepository(client), pickBlob(client));
  },
  pullBlob: (client: Client) => pullBlob(client, pickRepository(client), pickBlob(client)),
  remove: (client: Client) => deleteSome(client, pickRepository(client)),
  inspect: (client: Client) => inspectImage(client, pickImage(client)),
  quarantine: setQuarantine,
  release,
  destroy,
  pin,
  collect: collectOnce,
} as const;

const workAway = { follow: followAway, copy: copyAway, pull: pullAway, collect: collectOnce } as const;

type Work = keyof typeof work | keyof typeof workAway;

function pickRepository({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.repositories);
}

function pickPushable({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.pushables);
}

function pickImage({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.images);
}

function pickBlob({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.blobs);
}

/** What this seed is like. */
function mixture(random: SeededRandom) {
  const rate = (...rates: readonly number[]) => random.pick(rates);
  const weight = () => rate(0.3, 1, 1, 3);
  const settings: Settings = {
    graceMs: rate(minute, 2 * hour, day),
    retentionMs: rate(hour, 2 * day),
    replica: random.chance(0.4),
    focus: focusOn(random),
  };
  const rates = {
    failBefore: rate(0, 0, 0.01, 0.04),
    lose: rate(0, 0, 0.01, 0.04),
    late: rate(0, 0.1, 0.3),
    quickRead: rate(0.6, 0.85, 0.95),
  };
  // Four in ten are about quarantines above all.
  const marking = random.chance(0.4);
  const home = {
    push: (marking ? 3 : 6) * weight(),
    pull: (marking ? 8 : 2) * weight(),
    uploadBlob: weight(),
    headBlob: weight(),
    pullBlob: weight(),
    remove: (marking ? 0.5 : 3) * weight(),
    inspect: 2 * weight(),
    quarantine: (marking ? 5 : 1) * weight(),
    release: (marking ? 0.5 : 1) * weight(),
    destroy: 0.5 * weight(),
    pin: 0.3 * weight(),
    collect: (marking ? 1 : 4) * weight(),
  };
  const away = { follow: 4 * weight(), copy: 2 * weight(), pull: 2 * weight(), collect: weight() };
  const step = {
    call: 60,
    begin: rate(6, 12),
    time: marking ? 0.5 : rate(1, 3, 8),
    crash: rate(0, 0.2, 1),
    machine: rate(0, 0.1),
  };
  return { settings, rates, home, away, step, marking, atOnce: rate(2, 4, 8) };
}

export async function simulate(seed: number, steps: number, databases: Databases): Promise<Outcome> {
  const random = new SeededRandom(seed);
  randomSourceReplace((size) => random.bytes(size));
  const mixed = mixture(random);
  const scheduler = new Scheduler(random, { rates: mixed.rates, nowMs: startMs });
  const world = await World.open(scheduler, mixed.settings, databases);
  const run = new Run(world, mixed);
  let failure: string | undefined;
  try {
    await run.settled();
    for (scheduler.step = 1; scheduler.step <= steps; scheduler.step++) await run.step();
    await run.calm();
  } catch (error) {
    failure =
      error instanceof Violation
        ? error.message
        : `a defect: ${error instanceof Error ? error.stack : error}`;
    scheduler.say(`VIOLATION ${failure}`);
  } finally {
    world.close();
  }
  return { seed, steps: scheduler.step, failure, trace: scheduler.trace };
}

class Run {
  readonly #world: World;
  readonly #mixed: ReturnType<typeof mixture>;

  constructor(world: World, mixed: ReturnType<typeof mixture>) {
    this.#world = world;
    this.#mixed = mixed;
  }

  /** A region with something in it, so that there is something to lose from the first step on. */
  async settled(): Promise<void> {
    const { scheduler, home, settings } = this.#world;
    const { rates, marking } = this.#mixed;
    scheduler.rates = calmRates;
    for (let each = scheduler.random.below(4); each > 0; each--) await this.#alone(home, 'push', work.push);
    for (const image of settings.focus.images)
      if (marking || scheduler.random.chance(0.3))
        await this.#alone(home, 'inspect', (client) => inspectImage(client, image));
    scheduler.rates = rates;
  }

  async step(): Promise<void> {
    const { scheduler } = this.#world;
    const { random } = scheduler;
    await scheduler.settle();
    const { step, atOnce } = this.#mixed;
    const begin = scheduler.running.size < atOnce ? step.begin : 0;
    const kind = random.weighted({ ...step, begin, call: scheduler.ready ? step.call : 0 });
    switch (kind) {
      case 'call':
        if (scheduler.releaseOne()) await this.#check();
        return;
      case 'begin':
        return this.#begin();
      case 'time':
        return scheduler.advance(
          random.pick([minute, 10 * minute, 30 * minute, hour, 3 * hour, 25 * hour, 3 * day]),
        );
      case 'crash':
        return this.#crash(1);
      case 'machine':
        return this.#crash(2);
    }
  }

  #begin(): void {
    const { random } = this.#world.scheduler;
    const region = random.pick(this.#world.regions);
    const { home, away } = this.#mixed;
    if (region.name === 'home') {
      const name = random.weighted(home);
      this.#start(region, name, work[name]);
    } else {
      const name = random.weighted(away);
      this.#start(region, name, workAway[name]);
    }
  }

  #start(region: SimulatedRegion, name: Work, does: (client: Client) => Promise<void>): void {
    const world = this.#world;
    const process = world.scheduler.random.pick(region.processes);
    world.scheduler.start({ name, process: process.name, region: region.name }, (op) =>
      does({ world, op, deps: world.deps(region, process, op) }),
    );
  }

  async #crash(processes: number): Promise<void> {
    const region = this.#world.scheduler.random.pick(this.#world.regions);
    for (const process of [...region.processes].slice(0, processes)) await this.#world.crash(region, process);
  }

  /** After a call has passed, and all that follows from it waits again. */
  async #check(): Promise<void> {
    const { scheduler, model, regions, home, settings } = this.#world;
    await scheduler.settle();
    for (const region of regions) region.checks.contentIsWhole();
    home.checks.deletedStays(scheduler.nowMs, settings.graceMs);
    home.checks.acknowledgedIsThere(model, scheduler.nowMs);
    home.checks.refresh(model);
  }

  /** No faults any more: what runs ends, what was promised is pulled, time passes, and nothing is left over. */
  async calm(): Promise<void> {
    const { scheduler, model, regions, home, settings } = this.#world;
    scheduler.rates = calmRates;
    await this.#drain();
    for (const repository of repositories)
      for (const pushable of pushables)
        if (model.isExpected(manifestKey(repository.name, pushable.manifest.digest), scheduler.nowMs))
          await this.#alone(home, 'pull', (client) => pullAll(client, repository, pushable));
    await this.#replicate();
    for (let round = 0; round < 3; round++) {
      scheduler.advance(Math.max(settings.graceMs, settings.retentionMs, day) + 2 * hour);
      for (const region of regions)
        for (let pass = 0; pass < 2; pass++) await this.#alone(region, 'collect', collectOnce);
      await this.#replicate();
    }
    for (const region of regions) region.checks.nothingLeaks();
  }

  async #replicate(): Promise<void> {
    const { regions, home } = this.#world;
    const away = regions.find((region) => region.name === 'away');
    if (!away) return;
    // Copies that failed wait a while before they are tried again, those of the dead until their lease has ended.
    for (let round = 0; round < 3; round++) {
      await this.#alone(away, 'follow', followAway);
      await this.#alone(away, 'copy', copyAway);
      this.#world.scheduler.advance(10 * minute);
    }
    agree(home, away);
  }

  async #alone(region: SimulatedRegion, name: Work, does: (client: Client) => Promise<void>): Promise<void> {
    this.#start(region, name, does);
    await this.#drain();
  }

  /** Until nothing runs any more. */
  async #drain(): Promise<void> {
    const { scheduler } = this.#world;
    for (let left = calmStepsMax; ; left--) {
      await scheduler.settle();
      if (scheduler.running.size === 0) return;
      scheduler.step += 1;
      const sleepMs = scheduler.sleepersWakeInMs;
      if (scheduler.ready) {
        if (scheduler.releaseOne()) await this.#check();
      } else if (sleepMs !== undefined) scheduler.advance(sleepMs);
      else throw new Violation(`stuck: ${[...scheduler.running].map((op) => op.name).join(', ')}`);
      if (left === 0) throw new Violation('what runs does not end');
    }
  }
}
