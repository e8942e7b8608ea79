/**
 * A seed about leases (P3): home decides what runs, another region passes it on, and the real agent on one machine runs
 * it. Calls between them are late, lost or cut; home, the region, the agent and the machine die, or stand still; keepers
 * look at their leases every half second, as they do whatever dies.
 *
 * Checked after each step, on the machine's own clock:
 * - what home has ended runs no longer than lease + stop deadline after that (paused: lease), wherever the cut is;
 * - what the agent was told to stop has stopped within the stop deadline and a few ticks;
 * - what has no lease, and was never to be stopped, is neither ended nor paused (P7).
 * At the end, when nothing is cut any more: what should run runs, and nothing else does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../src/contract/fleet.ts';
import { randomSourceReplace } from '../../src/lib/random.ts';
import { parseRepositoryName } from '../../src/oci/reference.ts';
import { pushAll } from './clients.ts';
import { Databases, startMs } from './databases.ts';
import { FleetRegion, type Told } from './fleet-region.ts';
import { filesAtOnce, Machine } from './machine.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { SeededRandom } from './random.ts';
import { copyAway, followAway } from './replica.ts';
import { Scheduler, Violation } from './scheduler.ts';
import { scratchFolder } from './scratch.ts';
import { images } from './universe.ts';
import { World } from './world.ts';

const second = 1_000;
const calmRates = { failBefore: 0, lose: 0, late: 0, quickRead: 1 };
/** From hearing of a stop to asking for it, in ticks of the agent and of this simulation. */
const slackMs = 3 * second;
const tickMs = 500;
const repository = parseRepositoryName('acme/shop');

/** With databases of its own: what an agent leaves behind must not change the next seed. */
export async function simulateFleet(seed: number, steps: number): Promise<Outcome> {
  const random = new SeededRandom(seed);
  randomSourceReplace((size) => random.bytes(size));
  const rates = {
    failBefore: random.pick([0, 0, 0.02]),
    lose: random.pick([0, 0, 0.02]),
    late: random.pick([0, 0.2]),
    quickRead: 0.95,
  };
  const scheduler = new Scheduler(random, { rates: calmRates, nowMs: startMs });
  const [image] = images;
  if (!image) throw new Error('there are images');
  const focus = { repositories: [repository], pushables: [image], images: [image], blobs: [], layers: [] };
  const settings = { graceMs: 86_400_000, retentionMs: 86_400_000, replica: true, focus };
  const folder = mkdtempSync(join(scratchFolder(tmpdir()), 'lazaret-agent-'));
  const databases = await Databases.open(folder);
  const world = await World.open(scheduler, settings, databases);
  const endFiles = filesAtOnce();
  try {
    return await outcomeOf(seed, scheduler, async () => {
      const fleet = new Fleet(world, new Machine(scheduler, join(folder, 'agent')));
      await fleet.settled();
      scheduler.rates = rates;
      fleet.hinder();
      for (scheduler.step = 1; scheduler.step <= steps; scheduler.step++) await fleet.step();
      scheduler.rates = calmRates;
      await fleet.calm();
    });
  } finally {
    endFiles();
    world.close();
    await databases.close();
    rmSync(folder, { recursive: true });
  }
}

class Fleet {
  readonly #world: World;
  readonly #machine: Machine;
  readonly #region: FleetRegion;
  readonly #weights: ReturnType<typeof weightsOf>;
  /** On the machine's clock: when home has ended them. */
  readonly #ended = new Map<string, number>();
  /** On the machine's clock: when its agent was told to stop them. */
  readonly #told = new Map<string, number>();
  readonly #everEnded = new Set<string>();
  readonly #seenRunning = new Set<string>();
  #revision = 0;

  constructor(world: World, machine: Machine) {
    this.#world = world;
    this.#machine = machine;
    this.#region = new FleetRegion(world, (told) => this.#hears(told));
    this.#weights = weightsOf(world.scheduler.random);
    world.scheduler.isHeld = (op) => op.region === 'host' && machine.stands;
    const [image] = images;
    if (image && world.scheduler.random.chance(0.3)) machine.ignoreTerm(image.manifest.digest);
  }

  /** One image in both regions, an instance, two deployments, and an agent. */
  async settled(): Promise<void> {
    const { home, scheduler } = this.#world;
    const [image] = images;
    if (!image) throw new Error('there are images');
    const push = { repository, pushable: image, tag: '1', withChildren: true };
    while (home.checks.rows('select 1 from tags').length === 0)
      await this.#alone('home', (client) => pushAll(client, push));
    await this.#region.addInstance();
    await this.#alone('away', followAway);
    await this.#alone('away', copyAway);
    const { random } = scheduler;
    const leaseMs = random.pick([30, 45]) * second;
    const onLeaseEnd = random.pick(['stop', 'stop', 'pause', 'keep'] as const);
    const stopDeadlineMs = random.pick([second, 5 * second]);
    await this.#region.deploy({ name: 'leased', leaseMs, onLeaseEnd, stopDeadlineMs });
    await this.#region.deploy({ name: 'free', stopDeadlineMs });
    this.#region.serve();
    this.#machine.startAgent((op) => this.#region.link(op));
    await this.#pass(10 * second);
    scheduler.say(`home has ${home.checks.rows('select name from deployments').length} deployments`);
  }

  /** From here on messages may take long. */
  hinder(): void {
    this.#region.slow = this.#world.scheduler.random.pick([0, 0.1, 0.3]);
  }

  async step(): Promise<void> {
    const { scheduler } = this.#world;
    const { random } = scheduler;
    await scheduler.settle();
    const kind = random.weighted({ ...this.#weights, call: scheduler.ready ? this.#weights.call : 0 });
    if (kind === 'call') scheduler.releaseOne();
    else if (kind === 'time') await this.#time(tickMs * (1 + random.below(8)));
    else await this.#happens(kind);
    await this.#check();
  }

  async #happens(kind: Exclude<keyof ReturnType<typeof weightsOf>, 'call' | 'time'>): Promise<void> {
    const region = this.#region;
    const { random } = this.#world.scheduler;
    switch (kind) {
      case 'decide':
        return region.decide(
          random.pick(['leased', 'leased', 'free']),
          random.pick(['stop', 'stop', 'start']),
        );
      case 'home':
      case 'lane':
      case 'agent':
        region.cut(kind, !region.cuts.has(kind));
        // What is ended now is not heard of.
        if (region.cuts.has(kind) && random.chance(0.5)) region.decide('leased', 'stop');
        return;
      case 'killRegion':
        return region.restart();
      case 'process':
        if (this.#machine.agent === undefined) this.#startAgent();
        else this.#killAgent();
        return;
      case 'stand':
        if (!this.#machine.stands) this.#machine.stand(second * random.pick([2, 10, 60]));
        return;
      case 'restart':
        this.#killAgent();
        this.#machine.restart();
        this.#seenRunning.clear();
        return;
    }
  }

  #startAgent(): void {
    this.#machine.startAgent((op) => this.#region.link(op));
  }

  #killAgent(): void {
    this.#machine.killAgent();
    this.#told.clear();
    this.#revision = 0;
  }

  /** The agent takes what is not older than what it acts on; a new connection may be to a region that lost its memory. */
  #hears({ revision, assignments, anew }: Told): void {
    if (revision < this.#revision && !anew) return;
    this.#revision = revision;
    for (const { name, action } of assignments ?? [])
      if (action !== 'stop') this.#told.delete(name);
      else if (!this.#told.has(name)) this.#told.set(name, this.#machine.ranMs);
  }

  /** In ticks: after each the keepers look, and what the agent has slept for goes on. */
  async #time(ms: number): Promise<void> {
    const { scheduler } = this.#world;
    for (let left = ms; left > 0; left -= tickMs) {
      scheduler.advance(tickMs);
      this.#machine.passed(tickMs);
      while (scheduler.releaseSleeper((op) => op.region === 'host')) await scheduler.settle();
      await this.#check();
    }
  }

  async #check(): Promise<void> {
    const { scheduler, home } = this.#world;
    await scheduler.settle();
    const deployments = home.checks.rows<DeploymentRow>(deploymentRows);
    for (const { name, desired } of deployments) {
      if (desired === 'running') this.#ended.delete(name);
      else if (!this.#ended.has(name)) this.#ended.set(name, this.#machine.ranMs);
      if (desired !== 'running') this.#everEnded.add(name);
    }
    const running = new Map(this.#machine.running().map((each) => [each.name, each.state]));
    for (const row of deployments) this.#checkOne(row, running.get(row.name));
  }

  #checkOne(row: DeploymentRow, state: 'running' | 'paused' | undefined): void {
    const { name, lease_ms: leaseMs, on_lease_end: onLeaseEnd, stop_deadline_ms: deadlineMs } = row;
    const { ranMs } = this.#machine;
    const since = (at: number | undefined) => (at === undefined ? 0 : ranMs - at);
    const endedMs = since(this.#ended.get(name));
    const boundMs =
      onLeaseEnd === 'keep' || leaseMs === null
        ? Number.POSITIVE_INFINITY
        : leaseMs + (onLeaseEnd === 'pause' ? 0 : deadlineMs);
    if (state === 'running' && endedMs > boundMs)
      throw new Violation(
        `P3: ${name} runs ${endedMs / second} s after home ended it; its lease is ${(leaseMs ?? 0) / second} s`,
      );
    const toldMs = since(this.#told.get(name));
    if (state !== undefined && toldMs > deadlineMs + slackMs)
      throw new Violation(`P3: ${name} is still ${state} ${toldMs / second} s after its agent was told`);
    if (state === 'running') this.#seenRunning.add(name);
    if (leaseMs !== null || this.#everEnded.has(name) || !this.#seenRunning.has(name)) return;
    if (state !== 'running')
      throw new Violation(`P7: ${name}, which has no lease, is ${state ?? 'ended'}; nobody asked for it`);
  }

  /** Everything works again: what should run runs, and nothing else. */
  async calm(): Promise<void> {
    const { home, scheduler } = this.#world;
    for (const line of ['home', 'lane', 'agent'] as const) this.#region.cut(line, false);
    this.#region.slow = 0;
    if (this.#machine.agent === undefined) this.#startAgent();
    // What began while it was not calm goes on for as long as it was to.
    const quietAtMs = Math.max(this.#region.quietAtMs, this.#machine.standsUntilMs);
    await this.#pass(quietAtMs - scheduler.nowMs);
    await this.#pass(60 * second);
    const running = this.#machine.running();
    for (const { name, desired } of home.checks.rows<DeploymentRow>(deploymentRows)) {
      const state = running.find((each) => each.name === name)?.state ?? 'ended';
      if ((desired === 'running') !== (state === 'running'))
        throw new Violation(`P3: ${name} should be ${desired}, and is ${state} in the end`);
    }
    this.#killAgent();
    this.#region.close();
  }

  /** Every call passes; time goes on when none waits. */
  async #pass(ms: number): Promise<void> {
    const { scheduler } = this.#world;
    for (let left = ms; left > 0; left -= tickMs) {
      await scheduler.settle();
      while (scheduler.ready) {
        scheduler.releaseOne();
        await this.#check();
      }
      await this.#time(tickMs);
    }
  }

  async #alone(region: 'home' | 'away', does: Parameters<FleetRegion['start']>[2]): Promise<void> {
    const { scheduler } = this.#world;
    this.#region.start(region, 'prepare', does);
    await scheduler.settle();
    while (scheduler.ready) {
      scheduler.releaseOne();
      await scheduler.settle();
    }
  }
}

type DeploymentRow = Pick<Deployment, 'name' | 'desired'> & {
  readonly lease_ms: number | null;
  readonly on_lease_end: Deployment['onLeaseEnd'];
  readonly stop_deadline_ms: number;
};
const deploymentRows = 'select name, desired, lease_ms, on_lease_end, stop_deadline_ms from deployments';

function weightsOf(random: SeededRandom) {
  const rate = (...rates: readonly number[]) => random.pick(rates);
  return {
    call: 50,
    time: rate(20, 40),
    decide: rate(1, 3),
    home: rate(0, 1, 2),
    lane: rate(0, 1, 2),
    agent: rate(0, 1, 2),
    killRegion: rate(0, 0.5, 1),
    process: rate(0, 0.5, 2),
    stand: rate(0, 0.5),
    restart: rate(0, 0, 0.2),
  };
}
