/**
 * One seed: its own mixture of work, faults and time, so many steps, and then calm: everything ends, what was promised is
 * pulled, all graces and retentions pass, and nothing may be left that nothing needs.
 */
import { randomSourceReplace } from '../../src/lib/random.ts';
import { type Client, pullAll, pushAll } from './clients.ts';
import { type Databases, startMs } from './databases.ts';
import { simulateFleet } from './fleet.ts';
import { type Mixture, mixtureOf } from './mixture.ts';
import { manifestKey } from './model.ts';
import { collectOnce, confirmClock, inspectImage, scrubOnce } from './operators.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { SeededRandom } from './random.ts';
import { agree, copyAway, followAway } from './replica.ts';
import { Scheduler, Violation } from './scheduler.ts';
import { pushables, repositories } from './universe.ts';
import { type Work, work, workAway } from './work.ts';
import { type SimulatedRegion, World } from './world.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const calmStepsMax = 20_000;
const calmRates = { failBefore: 0, lose: 0, late: 0, quickRead: 1 };

/** One in so many seeds is about leases instead. */
const fleetEvery = 8;

export function simulate(seed: number, steps: number, databases: Databases): Promise<Outcome> {
  return seed % fleetEvery === 0 ? simulateFleet(seed, steps) : simulateContent(seed, steps, databases);
}

async function simulateContent(seed: number, steps: number, databases: Databases): Promise<Outcome> {
  const random = new SeededRandom(seed);
  randomSourceReplace((size) => random.bytes(size));
  const mixed = mixtureOf(random);
  const scheduler = new Scheduler(random, { rates: mixed.rates, nowMs: startMs });
  const world = await World.open(scheduler, mixed.settings, databases);
  const run = new Run(world, mixed);
  try {
    return await outcomeOf(seed, scheduler, async () => {
      await run.settled();
      for (scheduler.step = 1; scheduler.step <= steps; scheduler.step++) await run.step();
      await run.calm();
    });
  } finally {
    world.close();
  }
}

class Run {
  readonly #world: World;
  readonly #mixed: Mixture;

  constructor(world: World, mixed: Mixture) {
    this.#world = world;
    this.#mixed = mixed;
  }

  /** A region with something in it, so that there is something to lose from the first step on. */
  async settled(): Promise<void> {
    const { scheduler, home, settings } = this.#world;
    const { rates, theme, inspected } = this.#mixed;
    const { images, pushables: things, repositories: places } = settings.focus;
    scheduler.say(`this seed is about '${theme}'`);
    scheduler.rates = calmRates;
    const [first] = theme === 'twins' || theme === 'indexes' || theme === 'ending' ? things : [];
    if (first) {
      const push = { repository: scheduler.random.pick(places), pushable: first, withChildren: true };
      await this.#alone(home, 'push', (client) => pushAll(client, push));
    } else
      for (let each = scheduler.random.below(4); each > 0; each--) await this.#alone(home, 'push', work.push);
    for (const image of images)
      if (inspected || scheduler.random.chance(0.3))
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
      case 'stall':
        return scheduler.stall();
      case 'clock':
        return scheduler.setWall(random.pick([-3 * hour, -minute, 10 * minute, 5 * hour, 3 * day]));
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

  #start(region: SimulatedRegion, name: string, does: (client: Client) => Promise<void>): void {
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
    for (const region of regions) {
      region.checks.contentIsWhole();
      region.checks.markedStays(scheduler.wallMs);
      region.checks.markedIsNotWithdrawn(scheduler.wallMs);
      region.checks.decisionsAreNewer();
    }
    home.checks.deletedStays(scheduler.wallMs, settings.graceMs);
    home.checks.acknowledgedIsThere(model, scheduler.wallMs);
    home.checks.refresh(model);
  }

  /** No faults any more: what runs ends, what was promised is pulled, time passes, and nothing is left over. */
  async calm(): Promise<void> {
    const { scheduler, model, regions, home, settings } = this.#world;
    scheduler.rates = calmRates;
    scheduler.hurry();
    await this.#drain();
    for (const region of regions) await this.#alone(region, 'confirmClock', confirmClock);
    for (const repository of repositories)
      for (const pushable of pushables)
        if (model.isExpected(manifestKey(repository.name, pushable.manifest.digest), scheduler.wallMs))
          await this.#alone(home, 'pull', (client) => pullAll(client, repository, pushable));
    await this.#replicate();
    for (let round = 0; round < 3; round++) {
      scheduler.advance(Math.max(settings.graceMs, settings.retentionMs, day) + 2 * hour);
      for (const region of regions)
        for (let pass = 0; pass < 2; pass++) await this.#alone(region, 'collect', collectOnce);
      await this.#replicate();
    }
    for (const region of regions) region.checks.nothingLeaks(region.disk.late);
    for (const region of regions) {
      if (region.disk.late.size === 0) continue;
      await this.#alone(region, 'scrub', scrubOnce);
      await this.#alone(region, 'collect', collectOnce);
    }
    for (const region of regions) region.checks.nothingLeaks(new Set());
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

  async #alone(
    region: SimulatedRegion,
    name: Work | 'confirmClock' | 'scrub',
    does: (client: Client) => Promise<void>,
  ): Promise<void> {
    this.#start(region, name, does);
    await this.#drain();
  }

  /** Until nothing runs any more, copies that outlived who asked for them included. */
  async #drain(): Promise<void> {
    const { scheduler } = this.#world;
    for (let left = calmStepsMax; ; left--) {
      await scheduler.settle();
      if (scheduler.running.size === 0 && !scheduler.ready) return;
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
