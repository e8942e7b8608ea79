/**
 * The embedded runtime: umoci unpacks an image, runc runs it, no daemon. State is on disk and in the kernel only, so
 * that an agent that is restarted finds everything again:
 *
 *     FOLDER/containers/ID/   one container (container-folder.ts), there as soon as it is prepared as a whole
 *     FOLDER/runc/            runc's own state
 *     FOLDER/staging/         images being unpacked, trees being removed; emptied when the runtime opens
 *
 * States: nothing → *prepared* → *running* → *exited* → (running again | nothing). Whether it runs is what runc says of
 * it; how it ended is what its keeper wrote (runc-keeper.ts). Calls for one container wait for each other. One agent
 * process uses a folder at a time.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { SerialByKey } from '../../lib/serial-by-key.ts';
import { ContainerFolder, type ExitRecord, ifMissing, removeTree } from './container-folder.ts';
import { checkContainerId } from './container-id.ts';
import { findProcess, type HostProcess, isAlive } from './host-process.ts';
import { layoutRefName } from './image-layout.ts';
import { runTool, type ToolOptions } from './run-tool.ts';
import type { RuncTools } from './runc-check.ts';
import { keeperBusy, keptLeaseLine, startKeeper } from './runc-keeper.ts';
import { imageProcess, type Privilege, runcSpec } from './runc-spec.ts';
import type { ContainerSpec, ContainerStatus, Freezer, ImageSource, KeptLease, Runtime } from './runtime.ts';
import { writeUmociLayout } from './umoci-layout.ts';

export interface RuncOptions {
  /** Created if need be; the copies of the images are here. */
  readonly folder: string;
  readonly tools: RuncTools;
  readonly clock: Clock;
}

/** Run `checkRunc` first for a sentence about what is missing. @throws what the file system throws */
export async function openRuncRuntime(options: RuncOptions): Promise<Runtime> {
  const folder = resolve(options.folder);
  await removeTree(join(folder, 'staging'));
  for (const name of ['containers', 'runc', 'staging'])
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  return new RuncRuntime({ ...options, folder, hardLease: isRoot() && (await canHold()) });
}

/** A container's PID namespace is held by util-linux: other tools of these names lack what it takes. */
async function canHold(): Promise<boolean> {
  for (const tool of ['setpriv', 'unshare']) {
    const answer = await runTool(tool, ['--version']).catch(() => undefined);
    if (!answer?.stdout.includes('util-linux')) return false;
  }
  return true;
}

const pollMs = 10;

class RuncRuntime implements Runtime {
  readonly name = 'runc';
  readonly hardLease: boolean;
  readonly freezer: Freezer | undefined;
  readonly #folder: string;
  readonly #tools: RuncTools;
  readonly #clock: Clock;
  readonly #serial = new SerialByKey();

  constructor(options: RuncOptions & { readonly hardLease: boolean }) {
    this.hardLease = options.hardLease;
    this.#folder = options.folder;
    this.#tools = options.tools;
    this.#clock = options.clock;
    // Without root there is no cgroup that could be frozen.
    this.freezer = isRoot() ? { pause: (id) => this.#freeze(id), resume: (id) => this.#thaw(id) } : undefined;
  }

  prepare(id: string, image: ImageSource, signal?: AbortSignal): Promise<void> {
    return this.#serial.run(id, async () => {
      const container = this.#container(id);
      const unpacked = await container.image();
      if (unpacked === image.manifest) return;
      if (unpacked !== undefined)
        throw new LazaretError('conflict', `container ${id} was prepared from another image, ${unpacked}`);
      const staging = await this.#staging();
      try {
        await this.#unpack(image, staging, signal);
        await rename(join(staging, 'container'), container.path);
      } finally {
        await removeTree(staging);
      }
    });
  }

  start(id: string, spec: ContainerSpec): Promise<void> {
    return this.#serial.run(id, async () => {
      const container = this.#container(id);
      if ((await container.image()) === undefined)
        throw new LazaretError('notFound', `container ${id} is not prepared`);
      if ((await this.#running()).has(id)) return;
      const process = imageProcess(await readFile(join(container.bundle, 'image.json')));
      const holds = this.hardLease && (await container.hasLease());
      const pidNamespace = holds ? { pidNamespace: join(container.path, 'pidns') } : {};
      const config = runcSpec(process, spec, { ...this.#privilege(id), ...pidNamespace });
      await writeFile(join(container.bundle, 'config.json'), JSON.stringify(config));
      await this.#startKept(id, container, holds);
    });
  }

  stop(id: string, deadlineMs: number): Promise<ContainerStatus> {
    return this.#serial.run(id, async () => {
      const running = (await this.#running()).get(id);
      const process = running && (await findProcess(running.pid));
      if (process !== undefined)
        await this.#end(id, process, { deadlineMs, paused: running?.paused ?? false });
      const status = await this.#status(id, undefined);
      await this.#deleteRuncState(id);
      return status;
    });
  }

  remove(id: string): Promise<void> {
    return this.#serial.run(id, async () => {
      if ((await this.#running()).has(id))
        throw new LazaretError('conflict', `container ${id} runs; it must be stopped before it is removed`);
      await this.#deleteRuncState(id);
      const staging = await this.#staging();
      // First out of sight as a whole, so that half a container is never listed.
      await rename(this.#container(id).path, join(staging, 'removed')).catch(ifMissing);
      await removeTree(staging);
    });
  }

  async keepLease(id: string, lease: KeptLease): Promise<void> {
    await this.#container(id).writeLease(keptLeaseLine(lease));
  }

  async list(): Promise<ContainerStatus[]> {
    const running = await this.#running();
    const ids = await readdir(join(this.#folder, 'containers'));
    return Promise.all(ids.sort().map((id) => this.#status(id, running.get(id))));
  }

  async #unpack(image: ImageSource, staging: string, signal: AbortSignal | undefined): Promise<void> {
    const unpacked = new ContainerFolder(join(staging, 'container'));
    await mkdir(unpacked.bundle, { recursive: true });
    await writeUmociLayout(image, join(staging, 'layout'), signal);
    // Relative, since umoci ends the layout's path at the first colon.
    const from = ['--image', `layout:${layoutRefName}`, ...(isRoot() ? [] : ['--rootless'])];
    const options = { cwd: staging, signal };
    await this.#umoci(['raw', 'unpack', ...from, unpacked.rootfs], options);
    const config = join(unpacked.bundle, 'image.json');
    await this.#umoci(['raw', 'runtime-config', ...from, '--rootfs', unpacked.rootfs, config], options);
    imageProcess(await readFile(config));
    await writeFile(unpacked.file('image'), image.manifest);
  }

  async #umoci(args: readonly string[], options: ToolOptions): Promise<void> {
    const { exitCode, stderr } = await runTool(this.#tools.umoci, args, options);
    if (exitCode === 0) return;
    const why = stderr.trim().split('\n').at(-1)?.replace(/^\W+/, '') ?? `code ${exitCode}`;
    const machine = /no space left|quota exceeded|read-only file system|input\/output error/i.test(why);
    throw new LazaretError(machine ? 'unavailable' : 'invalid', `the image could not be unpacked: ${why}`);
  }

  #privilege(id: string): Privilege {
    if (!isRoot()) return { kind: 'rootless', uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    // One flat folder, so that nothing stays; of this state folder, since two agents may use one id.
    const owner = createHash('sha256').update(this.#folder).digest('hex').slice(0, 12);
    return { kind: 'root', cgroupsPath: `/lazaret-${owner}-${id}` };
  }

  /** Resolves when the container runs, or has run and ended already. */
  async #startKept(id: string, container: ContainerFolder, holds: boolean): Promise<void> {
    await container.forgetRun();
    const keeper = startKeeper({
      runc: this.#tools.runc,
      stateFolder: this.#runcState(),
      containerFolder: container.path,
      id,
      holds,
    });
    let ended: { readonly code: number | undefined } | undefined;
    keeper.ended.then((code) => {
      ended = { code };
    });
    while ((await container.startedAt()) === undefined) {
      if (ended !== undefined && (await container.startedAt()) === undefined) {
        if (ended.code !== keeperBusy) throw await startError(id, container);
        // An earlier agent process began to start it.
        if ((await this.#running()).has(id)) return;
        if ((await container.exit()) !== undefined) throw await startError(id, container);
      }
      await this.#clock.sleep(pollMs);
    }
  }

  #freeze(id: string): Promise<void> {
    return this.#serial.run(id, async () => {
      const running = (await this.#running()).get(id);
      if (running && !running.paused) await this.#runcFor(id, 'pause');
    });
  }

  #thaw(id: string): Promise<void> {
    return this.#serial.run(id, async () => {
      if ((await this.#running()).get(id)?.paused) await this.#runcFor(id, 'resume');
    });
  }

  async #runcFor(id: string, verb: 'pause' | 'resume'): Promise<void> {
    const { exitCode, stderr } = await this.#runc([verb, id]);
    if (exitCode !== 0)
      throw new LazaretError('unavailable', `runc could not ${verb} container ${id}: ${stderr.trim()}`);
  }

  async #end(
    id: string,
    process: HostProcess,
    { deadlineMs, paused }: { deadlineMs: number; paused: boolean },
  ): Promise<void> {
    await this.#kill(id, 'TERM', process);
    // Frozen, it would not hear the signal.
    if (paused) await this.#runcFor(id, 'resume');
    if (await this.#gone(process, deadlineMs)) return;
    await this.#kill(id, 'KILL', process);
    if (await this.#gone(process, limits.containerKillMs)) return;
    throw new LazaretError('unavailable', `container ${id} (process ${process.pid}) does not end on KILL`);
  }

  async #kill(id: string, signal: 'TERM' | 'KILL', process: HostProcess): Promise<void> {
    const { exitCode, stderr } = await this.#runc(['kill', id, signal]);
    if (exitCode !== 0 && (await isAlive(process)))
      throw new LazaretError('unavailable', `container ${id} could not be sent ${signal}: ${stderr.trim()}`);
  }

  /** The first process of a PID namespace goes last: the kernel ends all others before. */
  async #gone(process: HostProcess, withinMs: number): Promise<boolean> {
    const untilMs = this.#clock.bootMs() + withinMs;
    while (await isAlive(process)) {
      if (this.#clock.bootMs() >= untilMs) return false;
      await this.#clock.sleep(pollMs);
    }
    return true;
  }

  async #status(id: string, running: RuncEntry | undefined): Promise<ContainerStatus> {
    const container = this.#container(id);
    if (running) {
      const startedAt = (await container.startedAt()) ?? running.createdAt;
      return { id, state: running.paused ? 'paused' : 'running', pid: running.pid, startedAt };
    }
    // Asked of something that isn't here: certainly not running, but nobody saw an exit.
    if ((await container.image()) === undefined) return { id, state: 'exited' };
    const exit = (await container.exit()) ?? (await this.#awaitExit(container));
    if (exit === undefined) return { id, state: 'prepared' };
    const [startedAt, lastOutput] = [await container.startedAt(), await container.lastOutput()];
    return {
      id,
      state: 'exited',
      ...exit,
      ...((await container.leaseEnded()) && { leaseEnded: true }),
      ...(startedAt !== undefined && { startedAt }),
      ...(lastOutput !== undefined && { lastOutput }),
    };
  }

  /** Between the end of a container and its keeper's record are milliseconds; later no record will come. */
  async #awaitExit(container: ContainerFolder): Promise<ExitRecord | undefined> {
    if ((await container.startedAt()) === undefined) return undefined;
    const untilMs = this.#clock.bootMs() + limits.containerExitRecordMs;
    while (this.#clock.bootMs() < untilMs) {
      const exit = await container.exit();
      if (exit !== undefined) return exit;
      await this.#clock.sleep(pollMs);
    }
    return container.recordLostExit();
  }

  async #running(): Promise<ReadonlyMap<string, RuncEntry>> {
    const { exitCode, stdout, stderr } = await this.#runc(['list', '--format', 'json']);
    if (exitCode !== 0) throw new LazaretError('unavailable', `runc could not list: ${stderr.trim()}`);
    return parseRuncList(stdout);
  }

  /** What runc keeps of a container that has ended without its keeper: a state file and cgroups. */
  async #deleteRuncState(id: string): Promise<void> {
    if ((await stat(join(this.#runcState(), id)).catch(ifMissing)) === undefined) return;
    const { exitCode, stderr } = await this.#runc(['delete', '--force', id]);
    if (exitCode !== 0)
      throw new LazaretError('unavailable', `runc could not delete container ${id}: ${stderr.trim()}`);
  }

  #runc(args: readonly string[]): ReturnType<typeof runTool> {
    return runTool(this.#tools.runc, ['--root', this.#runcState(), ...args]);
  }

  #runcState(): string {
    return join(this.#folder, 'runc');
  }

  #staging(): Promise<string> {
    return mkdtemp(join(this.#folder, 'staging', 'part-'));
  }

  #container(id: string): ContainerFolder {
    return new ContainerFolder(join(this.#folder, 'containers', checkContainerId(id)));
  }
}

interface RuncEntry {
  readonly pid: number;
  readonly createdAt: number;
  readonly paused: boolean;
}

/** Those with a living process; runc itself checks that the process is the one that it started. */
function parseRuncList(json: string): ReadonlyMap<string, RuncEntry> {
  const list = parseJsonField(Buffer.from(json), 'runc list', 'unavailable');
  const entries = list.value === null ? [] : list.items(limits.agentReportContainersMax);
  const alive = entries.filter((entry) => entry.member('status').string() !== 'stopped');
  return new Map(
    alive.map((entry) => {
      const createdAt = Date.parse(entry.member('created').string());
      const paused = entry.member('status').string() === 'paused';
      return [entry.member('id').string(), { pid: entry.member('pid').count(), createdAt, paused }];
    }),
  );
}

async function startError(id: string, container: ContainerFolder): Promise<LazaretError> {
  const why = (await container.runcError()) ?? (await container.lastOutput()) ?? 'its keeper could not run';
  await container.forgetRun();
  return new LazaretError('unavailable', `container ${id} could not be started: ${why}`);
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
