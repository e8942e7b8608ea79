/**
 * Home and another region as the fleet sees them: home decides what runs; the region follows it, asks for its head so that
 * leases have a basis, and answers the agent, all by the real actions. What travels between them, or to the agent, may be
 * under way for a while, and meets a cut when it arrives.
 */

import { agentReport } from '../../src/actions/launch/agent-report.ts';
import { deploymentStart, deploymentStop } from '../../src/actions/launch/change-deployment.ts';
import { type DeploymentRequest, deploymentCreate } from '../../src/actions/launch/create-deployment.ts';
import { leaseAnswer } from '../../src/actions/launch/lease-answer.ts';
import { LeaseBasis } from '../../src/actions/launch/lease-basis.ts';
import { assignmentsWatch } from '../../src/actions/launch/watch-assignments.ts';
import { followOnce } from '../../src/actions/replicate/follow.ts';
import type { RegionLink } from '../../src/agent/region-link.ts';
import type { Assignment, AssignmentsLine } from '../../src/contract/agent.ts';
import type { Instance } from '../../src/contract/fleet.ts';
import { LazaretError } from '../../src/lib/errors.ts';
import { instanceAdd } from '../../src/records/fleet/instances.ts';
import { caller } from '../support/fleet.ts';
import { attempt, type Client } from './clients.ts';
import { linkHome } from './replica.ts';
import type { Operation } from './scheduler.ts';
import type { SimulatedProcess, World } from './world.ts';

const second = 1_000;
const owner = caller('jo', 'maintainer', 'acme');
const never = new AbortController().signal;

/** `lane`: home is heard, but its events are not. */
export type Line = 'home' | 'lane' | 'agent';

/** What an agent took in. */
export interface Told {
  readonly revision: number;
  readonly assignments: readonly Assignment[] | undefined;
  /** The first line of a new connection. */
  readonly anew: boolean;
}

export class FleetRegion {
  readonly #world: World;
  readonly #hears: (told: Told) => void;
  readonly cuts = new Set<Line>();
  /** How often a message is under way for long. */
  slow = 0;
  /** When all messages that are under way for long have arrived. */
  quietAtMs = 0;
  #instance: Instance | undefined;
  #server: SimulatedProcess | undefined;
  #basis: LeaseBasis | undefined;

  constructor(world: World, hears: (told: Told) => void) {
    this.#world = world;
    this.#hears = hears;
  }

  /** Known in both regions. */
  async addInstance(): Promise<void> {
    const [away] = this.#world.region('away').processes;
    const [home] = this.#world.home.processes;
    if (!away || !home) throw new Error('regions have processes');
    const add = { name: 'host', account: 'acme', actor: 'jo' };
    const instance = await away.database.transact((tx) => instanceAdd(tx, add));
    const { lastHeardAt: _, ...row } = instance;
    await home.database.transact((tx) => tx.db.insertInto('instances').values(row).execute());
    this.#instance = instance;
  }

  async deploy(request: Pick<DeploymentRequest, 'name' | 'leaseMs' | 'onLeaseEnd' | 'stopDeadlineMs'>) {
    const [home] = this.#world.home.processes;
    if (!home) throw new Error('home has processes');
    const deps = { database: home.database, blobs: home.store, region: 'home' };
    const place = { account: 'acme', reference: 'acme/shop:1', region: 'away', instance: 'host' };
    await deploymentCreate(deps, owner, { ...place, ...request });
  }

  decide(name: string, what: 'start' | 'stop'): void {
    this.start('home', what, async (client) => {
      const change = what === 'stop' ? deploymentStop : deploymentStart;
      await attempt(client, `${what} ${name}`, () => change(client.deps, owner, { name }));
    });
  }

  cut(line: Line, cut: boolean): void {
    if (cut) this.cuts.add(line);
    else this.cuts.delete(line);
    this.#world.scheduler.say(`the line '${line}' is ${cut ? 'cut' : 'mended'}`);
  }

  /** Follows home and keeps a basis, until the process dies. */
  serve(): void {
    const [server] = this.#world.region('away').processes;
    this.#server = server;
    this.start('away', 'follow', (client) => this.#follow(client));
    this.start('away', 'basis', async (client) => {
      const head = async () => {
        await this.#travels(client.op, 'home', 'asks for the head');
        const heads = await linkHome(client).head(never);
        await this.#travels(client.op, 'home', 'the head');
        return heads;
      };
      const { database, clock } = client.deps;
      this.#basis = new LeaseBasis({
        database,
        clock,
        primary: { region: 'home', head },
        onProblem: () => {},
      });
      await this.#basis.keep(never);
    });
  }

  async restart(): Promise<void> {
    const region = this.#world.region('away');
    this.#basis = undefined;
    if (this.#server) await this.#world.crash(region, this.#server);
    this.serve();
  }

  close(): void {
    for (const { processes } of this.#world.regions)
      for (const process of processes) this.#world.scheduler.kill(process.name);
  }

  async #follow(client: Client): Promise<never> {
    const { database, clock } = client.deps;
    const home = linkHome(client);
    const arrives = () => {
      this.#arrives('home');
      this.#arrives('lane');
    };
    const link = {
      ...home,
      async *stream(...asked: Parameters<typeof home.stream>) {
        for await (const line of home.stream(...asked)) {
          arrives();
          yield line;
        }
      },
    };
    for (;;) {
      const follow = { database, clock, policy: { repositories: ['**'] }, onProblem: () => {} };
      await attempt(client, 'follow', () => followOnce(follow, link, never));
      await clock.sleep(second);
    }
  }

  /** The line that an agent has to this region. */
  link(op: Operation): RegionLink {
    return {
      report: async (report) => {
        await this.#travels(op, 'agent', 'reports');
        const answer = await this.#served('report', async ({ deps }, instance) => {
          await agentReport(deps, instance, report);
          const { database } = deps;
          const leases = { elapsedMs: async () => this.#basis?.elapsedMs() };
          return leaseAnswer({ database, leases }, instance);
        });
        await this.#travels(op, 'agent', 'the answer');
        const { revision, assignments } = answer;
        if (revision !== undefined && assignments) this.#hears({ revision, assignments, anew: false });
        return answer;
      },
      watch: (signal) => this.#watch(op, signal),
    };
  }

  async *#watch(op: Operation, signal: AbortSignal): AsyncGenerator<AssignmentsLine> {
    await this.#travels(op, 'agent', 'watches');
    const lines: AssignmentsLine[] = [];
    const ended = new AbortController();
    let news = Promise.withResolvers<void>();
    const end = (error?: unknown) => {
      ended.abort();
      news.promise.catch(() => {});
      news.reject(error ?? unavailable('the connection has ended'));
    };
    op.onDeath.add(end);
    this.#served('watch', async ({ deps }, instance) => {
      for await (const line of assignmentsWatch(deps, instance, ended.signal)) {
        lines.push(line);
        news.resolve();
      }
    }).then(() => end(), end);
    try {
      for (let anew = true; !signal.aborted; ) {
        const line = lines.shift();
        if (!line) {
          await news.promise;
          news = Promise.withResolvers<void>();
          continue;
        }
        await this.#travels(op, 'agent', `${line.kind} ${line.revision}`);
        this.#hears({ revision: line.revision, assignments: line.assignments, anew });
        anew = false;
        yield line;
      }
    } finally {
      op.onDeath.delete(end);
      ended.abort();
    }
  }

  /** In the region's process. @throws unavailable when it dies */
  #served<T>(name: string, work: (client: Client, instance: Instance) => Promise<T>): Promise<T> {
    const instance = this.#instance;
    return new Promise((resolve, reject) => {
      if (!this.#server || !instance) return reject(unavailable('the region is down'));
      this.start('away', name, async (client) => {
        client.op.onDeath.add(() => reject(unavailable('the region died')));
        await work(client, instance).then(resolve, reject);
      });
    });
  }

  /** In the region's serving process, or in any of home's. */
  start(name: 'home' | 'away', what: string, does: (client: Client) => Promise<unknown>): void {
    const world = this.#world;
    const region = world.region(name);
    const process =
      (name === 'away' ? this.#server : undefined) ?? world.scheduler.random.pick(region.processes);
    world.scheduler.start({ name: what, process: process.name, region: name }, async (op) => {
      await does({ world, op, deps: world.deps(region, process, op) });
    });
  }

  /** A message: it may be under way for long. @throws unavailable if it meets a cut */
  async #travels(op: Operation, to: 'home' | 'agent', what: string): Promise<void> {
    const { scheduler } = this.#world;
    if (scheduler.random.chance(this.slow)) {
      const ms = second * scheduler.random.below(60);
      this.quietAtMs = Math.max(this.quietAtMs, scheduler.nowMs + ms);
      await scheduler.sleep(op, ms);
    }
    await scheduler.call(op, what, async () => {});
    this.#arrives(to);
  }

  #arrives(to: Line): void {
    if (this.cuts.has(to)) throw unavailable(`the line to ${to} is cut`);
  }
}

function unavailable(message: string): LazaretError {
  return new LazaretError('unavailable', `injected: ${message}`);
}
