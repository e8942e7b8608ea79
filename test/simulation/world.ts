/** Regions, processes and their stores: what one seed runs in. */
import type { OpenManifests } from '../../src/actions/pull/manifest-get.ts';
import { RunningDigests } from '../../src/actions/push/running-digests.ts';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { AnswersAtHead } from '../../src/records/log/answers-at-head.ts';
import { Checks } from './checks.ts';
import type { Databases, RegionDatabases, RegionName } from './databases.ts';
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
  readonly name: RegionName;
  readonly disk: SimulatedDisk;
  readonly checks: Checks;
  readonly listeners: CommitListeners;
  readonly processes: SimulatedProcess[];
  /** Through which peers ask: a cut link is a failed call of the peer's. Opened with the region; never dies. */
  relay: SimulatedProcess | undefined;
  readonly databases: RegionDatabases;
}

/** What dies with it: connections, the digests of running uploads, what it remembers, the list of keys being written. */
export interface SimulatedProcess {
  readonly name: string;
  readonly database: Database;
  readonly store: BlobStore;
  readonly digests: RunningDigests;
  readonly openManifests: OpenManifests;
}

/** What an action of one operation in one process is given. */
export interface Deps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly digests: RunningDigests;
  readonly openManifests: OpenManifests;
  readonly region: string;
  readonly graceMs: number;
  readonly retention: { readonly packagesMs: number; readonly harmfulMs: number };
}

export class World {
  readonly scheduler: Scheduler;
  readonly settings: Settings;
  readonly model = new Model();
  readonly regions: readonly SimulatedRegion[];
  #processes = 0;

  private constructor(scheduler: Scheduler, settings: Settings, databases: Databases) {
    this.scheduler = scheduler;
    this.settings = settings;
    databases.goBy(() => scheduler.wallMs);
    const names = settings.replica ? (['home', 'away'] as const) : (['home'] as const);
    this.regions = names.map((name) => {
      const own = databases.of(name);
      own.putBack();
      const disk = new SimulatedDisk(scheduler.random);
      const checks = new Checks(own, name, disk.contents);
      return { name, disk, checks, databases: own, listeners: new Set(), processes: [], relay: undefined };
    });
  }

  static async open(scheduler: Scheduler, settings: Settings, databases: Databases): Promise<World> {
    const world = new World(scheduler, settings, databases);
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
      database: region.databases.take(),
      store: await openMemoryStore({ region: region.name, contents }),
      digests: new RunningDigests(),
      openManifests: new AnswersAtHead({ entries: 100 }),
    };
  }

  /** It dies, and another one starts. */
  async crash(region: SimulatedRegion, process: SimulatedProcess): Promise<void> {
    this.scheduler.kill(process.name);
    region.disk.settle(process.name);
    region.processes.splice(region.processes.indexOf(process), 1);
    region.databases.giveBack(process.database);
    await this.boot(region);
  }

  deps(region: SimulatedRegion, process: SimulatedProcess, op: Operation): Deps {
    const { scheduler, settings } = this;
    const { listeners, disk } = region;
    const { database, store, digests, openManifests } = process;
    return {
      database: gatedDatabase(scheduler, op, { database, listeners }),
      blobs: gatedStore(scheduler, op, { store, disk }),
      clock: gatedClock(scheduler, op),
      digests,
      openManifests,
      region: region.name,
      graceMs: settings.graceMs,
      retention: { packagesMs: settings.retentionMs, harmfulMs: settings.retentionMs },
    };
  }

  close(): void {
    for (const { databases, processes, relay } of this.regions)
      for (const process of relay ? [...processes, relay] : processes) databases.giveBack(process.database);
  }
}
