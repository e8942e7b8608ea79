/**
 * Two regions, their people, and an instance: each server and agent is a process of its own, all files are in one folder.
 * Whoever opens a world closes it, which leaves nothing behind: the agent ends first, so that nothing new starts; then
 * its containers; then the servers; then the folder.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { removeTree } from '../src/agent/runtimes/container-folder.ts';
import type { RuncTools } from '../src/agent/runtimes/runc-check.ts';
import { randomSecret } from '../src/lib/random.ts';
import { agentFolder, endContainers } from './leftovers.ts';
import type { Narrator } from './narrator.ts';
import { openPeople, type People } from './people.ts';
import { freePorts } from './ports.ts';
import { type LazaretProcess, startLazaret } from './processes.ts';
import type { Region } from './region.ts';
import { allDone } from './run-program.ts';

export interface WorldOptions {
  /** Made here, and removed at the end. */
  readonly folder: string;
  readonly tools: RuncTools;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  /** Taken where they are free. */
  readonly portsWanted?: readonly [home: number, away: number, app: number];
  /** How long a region keeps what nothing needs any more: `2s`. */
  readonly grace?: string;
}

/** Where everything of the demo and of `npm run dev` lies, ignored by git. */
export const worldsFolder = fileURLToPath(new URL('../.lazaret', import.meta.url));
export const instanceName = 'host-1';

export class World {
  readonly folder: string;
  readonly home: Region;
  readonly away: Region;
  /** Where the containers of the demo listen, one at a time. */
  readonly appPort: number;
  readonly #options: WorldOptions;
  readonly #servers = new Map<Region, LazaretProcess>();
  #agent: LazaretProcess | undefined;
  #people: People | undefined;

  private constructor(options: WorldOptions, [home = 0, away = 0, app = 0]: readonly number[]) {
    this.folder = options.folder;
    this.#options = options;
    this.home = region(options.folder, 'home', home);
    this.away = region(options.folder, 'away', away);
    this.appPort = app;
  }

  /** Starts both regions and gives everybody an account. @throws Error with what a process said that did not start */
  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options, await freePorts(options.portsWanted ?? [0, 0, 0]));
    try {
      await mkdir(join(world.folder, 'tmp'), { recursive: true, mode: 0o700 });
      await world.#startRegions();
      const { narrator, signal } = options;
      world.#people = await openPeople({ world, narrator, signal, env: world.#environment() });
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get people(): People {
    if (!this.#people) throw new Error('the world is not open yet');
    return this.#people;
  }

  /** Of the instance that `secretFile` is for; it watches `away` and runs containers with runc. */
  async startAgent(secretFile: string): Promise<void> {
    const { tools, signal } = this.#options;
    const data = agentFolder(this.folder);
    const programs = ['--runc', tools.runc, '--umoci', tools.umoci];
    const instance = ['--region', this.away.url, '--name', instanceName, '--secret-file', secretFile];
    this.#agent = await startLazaret({
      name: 'agent',
      folder: this.folder,
      args: ['agent', ...instance, '--data', data, ...programs],
      env: this.#environment(),
      ready: /^agent of /m,
      signal,
    });
  }

  /** As an outage does it; what it had to do is left undone. */
  async killServer(region: Region): Promise<void> {
    await this.#servers.get(region)?.kill();
  }

  /** A server that was killed, with the data that it left. */
  async restartServer(region: Region): Promise<void> {
    await this.#startRegion(region, region === this.home ? this.away : this.home);
  }

  async killAgent(): Promise<void> {
    await this.#agent?.kill();
  }

  async close(): Promise<void> {
    await this.#agent?.stop();
    await endContainers(this.folder, this.#options.tools);
    await allDone([...this.#servers.values()].map((server) => server.stop()));
    await removeTree(this.folder);
  }

  async #startRegions(): Promise<void> {
    await writeFile(this.#secretFile, `${randomSecret()}\n`, { mode: 0o600 });
    const starting = [this.#startRegion(this.home, this.away), this.#startRegion(this.away, this.home)];
    const started = await Promise.allSettled(starting);
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  }

  async #startRegion(self: Region, peer: Region): Promise<void> {
    const { signal, grace = '24h' } = this.#options;
    const secretFile = this.#secretFile;
    const config = {
      region: self.name,
      primary: 'home',
      data: self.dataFolder,
      url: self.url,
      listen: { host: '127.0.0.1', port: Number(new URL(self.url).port) },
      peers: [{ name: peer.name, url: peer.url, secretFile }],
      collection: { grace, interval: '500ms' },
    };
    const file = join(this.folder, `${self.name}.yaml`);
    await writeFile(file, stringify(config));
    const server = await startLazaret({
      name: self.name,
      folder: this.folder,
      args: ['serve', '--config', file],
      env: this.#environment(),
      ready: /^ready /m,
      signal,
    });
    this.#servers.set(self, server);
  }

  get #secretFile(): string {
    return join(this.folder, 'region-secret');
  }

  /** Nothing of whoever runs the demo: no settings of theirs take effect, and no file of theirs is touched. */
  #environment(): Readonly<Record<string, string>> {
    return {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: this.folder,
      TMPDIR: join(this.folder, 'tmp'),
      NO_COLOR: '1',
    };
  }
}

function region(folder: string, name: string, port: number): Region {
  const dataFolder = join(folder, name);
  return { name, url: `http://localhost:${port}`, dataFolder, blobFolder: join(dataFolder, 'blobs') };
}
