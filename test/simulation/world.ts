/** Regions, processes and their stores: what one seed runs in. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningDigests } from '../../src/actions/push/running-digests.ts';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { accountEnsure } from '../../src/records/access/accounts.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { regionsEnsure } from '../../src/records/regions/regions.ts';
import { Checks } from './checks.ts';
import { SimulatedDisk } from './disk.ts';
import { Model } from './model.ts';
import { type CommitListeners, gatedClock, gatedDatabase, gatedStore } from './proxies.ts';
import type { Operation, Scheduler } from './scheduler.ts';
import type { Focus } from './universe.ts';

export interface Settings {
  readonly graceMs: number;
  readonly retentionMs: number;
  /** Follows `home` and keeps copies. */
  readonly replica: boolean;
  readonly focus: Focus;
}

export interface SimulatedRegion {
  readonly name: 'home' | 'away';
  readonly disk: SimulatedDisk;
  readonly checks: Checks;
  readonly listeners: CommitListeners;
  readonly processes: SimulatedProcess[];
  /** Through which peers ask: a cut link is a failed call of the peer's. Opened with the region; never dies. */
  relay: SimulatedProcess | undefined;
  readonly file: string;
}

/** What dies with it: connections, the digests of running uploads, the list of keys being written. */
export interface SimulatedProcess {
  readonly name: string;
  readonly database: Database;
  readonly store: BlobStore;
  readonly digests: RunningDigests;
}

/** What an action of one operation in one process is given. */
export interface Deps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly digests: RunningDigests;
  readonly region: string;
  readonly graceMs: number;
  readonly retention: { readonly packagesMs: number; readonly harmfulMs: number };
}

export const startMs = Date.UTC(2026, 0, 1);

export class World {
  readonly scheduler: Scheduler;
  readonly settings: Settings;
  readonly model = new Model();
  readonly regions: readonly SimulatedRegion[];
  readonly #clock: Clock;
  #processes = 0;

  private constructor(scheduler: Scheduler, settings: Settings, folder: string) {
    this.scheduler = scheduler;
    this.settings = settings;
    this.#clock = clockOf(scheduler);
    const names = settings.replica ? (['home', 'away'] as const) : (['home'] as const);
    this.regions = names.map((name) => {
      const file = join(folder, `${name}.sqlite`);
      copyFileSync(templateFile(folder, name), file);
      const disk = new SimulatedDisk(scheduler.random);
      const checks = new Checks(file, name, disk.contents);
      return { name, disk, checks, file, listeners: new Set(), processes: [], relay: undefined };
    });
  }

  /** @param folder with the templates that `prepareTemplates` made */
  static async open(scheduler: Scheduler, settings: Settings, folder: string): Promise<World> {
    const world = new World(scheduler, settings, folder);
    for (const region of world.regions) {
      for (let each = 0; each < 2; each++) await world.boot(region);
      if (settings.replica && region.name === 'home') region.relay = await world.#open(region, 'home-relay');
    }
    return world;
  }

  get home(): SimulatedRegion {
    return this.region('home');
  }

  region(name: string): SimulatedRegion {
    const found = this.regions.find((region) => region.name === name);
    if (!found) throw new Error(`no region ${name}`);
    return found;
  }

  async boot(region: SimulatedRegion): Promise<void> {
    this.#processes += 1;
    region.processes.push(await this.#open(region, `${region.name}-${this.#processes}`));
  }

  async #open(region: SimulatedRegion, name: string): Promise<SimulatedProcess> {
    const { contents } = region.disk;
    return {
      name,
      database: await openDatabase(
        { kind: 'sqlite', file: region.file },
        { region: region.name, clock: this.#clock },
      ),
      store: await openMemoryStore({ region: region.name, contents }),
      digests: new RunningDigests(),
    };
  }

  /** It dies, and another one starts. */
  async crash(region: SimulatedRegion, process: SimulatedProcess): Promise<void> {
    this.scheduler.kill(process.name);
    region.disk.settle(process.name);
    region.processes.splice(region.processes.indexOf(process), 1);
    await process.database.close();
    await this.boot(region);
  }

  deps(region: SimulatedRegion, process: SimulatedProcess, op: Operation): Deps {
    const { scheduler, settings } = this;
    const { listeners, disk } = region;
    const { database, store, digests } = process;
    return {
      database: gatedDatabase(scheduler, op, { database, listeners }),
      blobs: gatedStore(scheduler, op, { store, disk }),
      clock: gatedClock(scheduler, op),
      digests,
      region: region.name,
      graceMs: settings.graceMs,
      retention: { packagesMs: settings.retentionMs, harmfulMs: settings.retentionMs },
    };
  }

  async close(): Promise<void> {
    for (const region of this.regions) {
      region.checks.close();
      for (const process of region.processes) await process.database.close();
      await region.relay?.database.close();
    }
  }
}

/** Databases as a server that has just started leaves them, to be copied for each seed. */
export async function prepareTemplates(folder: string): Promise<void> {
  const seed = (name: string) => ({ name, url: `http://${name}.example` });
  for (const [name, peer] of [
    ['home', 'away'],
    ['away', 'home'],
  ] as const) {
    const clock: Clock = { wallMs: () => startMs, bootMs: () => startMs, sleep: async () => {} };
    const file = templateFile(folder, name);
    const database = await openDatabase({ kind: 'sqlite', file }, { region: name, clock });
    await database.transact(async (tx) => {
      await regionsEnsure(tx, { self: seed(name), primary: 'home', peers: [seed(peer)] });
      if (name === 'home')
        for (const account of ['acme', 'globex']) await accountEnsure(tx, account, 'simulation');
    });
    await database.close();
  }
}

function templateFile(folder: string, name: string): string {
  return join(folder, `template-${name}.sqlite`);
}

function clockOf(scheduler: Scheduler): Clock {
  return { wallMs: () => scheduler.nowMs, bootMs: () => scheduler.nowMs, sleep: async () => {} };
}
