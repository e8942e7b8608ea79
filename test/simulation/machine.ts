/**
 * A machine on which the real agent runs, with the fake runtime: its clocks, its containers with their keepers, and what
 * outlives an agent. It may stand still (a virtual machine that is suspended: the boot clock stands, the time of day does
 * not) and restart. The agent's files are written at once, so that a seed is the same run each time; a death comes
 * between two calls of the network or the clock.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { startAgent } from '../../src/agent/agent.ts';
import type { RegionLink } from '../../src/agent/region-link.ts';
import { FakeRuntime, fakeMachine } from '../../src/agent/runtimes/fake.ts';
import type { ImageSource } from '../../src/agent/runtimes/runtime.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Operation, Scheduler } from './scheduler.ts';

export interface RunningContainer {
  /** The deployment's. */
  readonly name: string;
  readonly state: 'running' | 'paused';
}

export class Machine {
  readonly #scheduler: Scheduler;
  readonly #folder: string;
  readonly #state = fakeMachine();
  /** How long it has stood still. */
  #lostMs = 0;
  /** On the scheduler's clock. */
  standsUntilMs = 0;
  #boots = 1;
  #agents = 0;
  /** The process of the agent that lives. */
  agent: string | undefined;

  constructor(scheduler: Scheduler, folder: string) {
    this.#scheduler = scheduler;
    this.#folder = folder;
    fs.rmSync(folder, { recursive: true, force: true });
  }

  /** Time that passed while it ran, over all boots: what a promise "on the instance's own clock" counts in. */
  get ranMs(): number {
    return this.#scheduler.nowMs - this.#lostMs;
  }

  get stands(): boolean {
    return this.#scheduler.nowMs < this.standsUntilMs;
  }

  clock(op: Operation): Clock {
    return { ...this.#clock, sleep: (ms, signal) => this.#scheduler.sleep(op, ms, signal) };
  }

  get #clock(): Clock {
    return { wallMs: () => this.#scheduler.wallMs, bootMs: () => this.ranMs, sleep: async () => {} };
  }

  /** It does nothing for so long, and does not know it. */
  stand(ms: number): void {
    this.standsUntilMs = this.#scheduler.nowMs + ms;
    this.#scheduler.say(`the machine stands still for ${ms / 1000} s`);
  }

  passed(ms: number): void {
    if (this.#scheduler.nowMs - ms < this.standsUntilMs) this.#lostMs += ms;
    else new FakeRuntime(this.#clock, this.#state).keepersLook();
  }

  startAgent(link: (op: Operation) => RegionLink): void {
    const process = `agent-${++this.#agents}`;
    this.agent = process;
    this.#scheduler.start({ name: 'agent', process, region: 'host' }, async (op) => {
      const clock = this.clock(op);
      await startAgent({
        ...{ clock, dataFolder: this.#folder, bootId: `boot-${this.#boots}`, link: link(op) },
        runtime: new RuntimeWithoutImages(clock, this.#state),
        pullImage: async ({ digest, folder }) => ({ layoutFolder: folder, manifest: digest }),
        log: (line) => this.#scheduler.say(`      ${line}`),
      });
      await new Promise(() => {});
    });
  }

  killAgent(): void {
    if (this.agent !== undefined) this.#scheduler.kill(this.agent);
    this.agent = undefined;
  }

  /** With it end its containers; what is on its disk stays. */
  restart(): void {
    this.killAgent();
    this.#boots += 1;
    for (const [id, container] of this.#state.containers)
      if (container.status.state !== 'prepared')
        this.#state.containers.set(id, { ...container, status: { id, state: 'exited' } });
    this.#scheduler.say('the machine restarts');
  }

  running(): RunningContainer[] {
    return [...this.#state.containers.values()].flatMap(({ spec, status }) =>
      spec && (status.state === 'running' || status.state === 'paused')
        ? [{ name: spec.hostname, state: status.state }]
        : [],
    );
  }

  /** The containers of this image end only when they are killed. */
  ignoreTerm(manifest: ImageSource['manifest']): void {
    this.#state.behaviours.set(manifest, { ignoresTerm: true });
  }
}

/** Whose images need no bytes. */
class RuntimeWithoutImages extends FakeRuntime {
  readonly #containers: ReturnType<typeof fakeMachine>['containers'];

  constructor(clock: Clock, machine: ReturnType<typeof fakeMachine>) {
    super(clock, machine);
    this.#containers = machine.containers;
  }

  override async prepare(id: string, { manifest }: ImageSource): Promise<void> {
    if (!this.#containers.has(id)) this.#containers.set(id, { manifest, status: { id, state: 'prepared' } });
  }
}

const usual = { ...promises };

/** From now on this process's files are read and written without waiting. @returns to be called to end that */
export function filesAtOnce(): () => void {
  Object.assign(promises, {
    mkdir: async (path: string, options: fs.MakeDirectoryOptions) => fs.mkdirSync(path, options),
    readdir: async (path: string) => fs.readdirSync(path),
    readFile: async (path: string, encoding: BufferEncoding) => fs.readFileSync(path, encoding),
    writeFile: async (path: string, text: string, options: fs.WriteFileOptions) =>
      fs.writeFileSync(path, text, options),
    rename: async (from: string, to: string) => fs.renameSync(from, to),
    rm: async (path: string, options: fs.RmOptions) => fs.rmSync(path, options),
  });
  syncBuiltinESMExports();
  return () => {
    Object.assign(promises, usual);
    syncBuiltinESMExports();
  };
}
