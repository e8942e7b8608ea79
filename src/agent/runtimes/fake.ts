/** A runtime that runs nothing, for tests: it reads images as a real one does, and its containers do as they are told. */
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Digest } from '../../oci/digest.ts';
import { checkContainerId } from './container-id.ts';
import { readLayoutImage } from './image-layout.ts';
import type { ContainerSpec, ContainerStatus, Freezer, ImageSource, KeptLease, Runtime } from './runtime.ts';

/** What the containers of an image do; without one they run until TERM and end with code 0. */
export interface FakeBehaviour {
  readonly ignoresTerm?: boolean;
  readonly endsAtOnce?: { readonly exitCode: number; readonly output?: string };
}

export type FakeMethod = 'prepare' | 'start' | 'stop' | 'remove' | 'list';

/** What outlives the agent: give the same one to the next runtime to act an agent's restart. */
export interface FakeMachine {
  readonly containers: Map<string, FakeContainer>;
  readonly behaviours: Map<Digest, FakeBehaviour>;
  /** What the keepers were told last. */
  readonly leases: Map<string, KeptLease>;
}

export interface FakeContainer {
  readonly manifest: Digest;
  readonly spec?: ContainerSpec;
  readonly status: ContainerStatus;
}

export function fakeMachine(): FakeMachine {
  return { containers: new Map(), behaviours: new Map(), leases: new Map() };
}

export function openFakeRuntime(options: {
  readonly clock: Clock;
  readonly machine?: FakeMachine;
}): FakeRuntime {
  return new FakeRuntime(options.clock, options.machine ?? fakeMachine());
}

export class FakeRuntime implements Runtime {
  readonly name = 'fake';
  readonly hardLease = false;
  readonly freezer: Freezer = {
    pause: async (id) => this.#change(id, { from: 'running', to: 'paused' }),
    resume: async (id) => this.#change(id, { from: 'paused', to: 'running' }),
  };
  readonly #clock: Clock;
  readonly #machine: FakeMachine;
  readonly #failures: { readonly method: FakeMethod; readonly error: Error }[] = [];
  #lastPid = 1_000;

  constructor(clock: Clock, machine: FakeMachine) {
    this.#clock = clock;
    this.#machine = machine;
  }

  /** The next call of `method` fails; calls add up. */
  failNext(
    method: FakeMethod,
    error: Error = new LazaretError('unavailable', `${method} fails as told`),
  ): void {
    this.#failures.push({ method, error });
  }

  /** The containers of this image started from now on behave so. */
  behave(manifest: Digest, behaviour: FakeBehaviour): void {
    this.#machine.behaviours.set(manifest, behaviour);
  }

  /** The running container ends by itself. */
  exit(id: string, exitCode: number, output?: string): void {
    const container = this.#machine.containers.get(id);
    if (container?.status.state === 'running') this.#end(id, container, exitCode, output);
  }

  /** What the container was last started with. */
  specOf(id: string): ContainerSpec | undefined {
    return this.#machine.containers.get(id)?.spec;
  }

  /** The keepers look at the clock, as they do every second on a real machine, whether or not an agent lives. */
  keepersLook(): void {
    for (const [id, lease] of this.#machine.leases) {
      const container = this.#machine.containers.get(id);
      if (!container || this.#clock.bootMs() < lease.expiresAtBootMs - limits.leaseMarginMs / 2) continue;
      const { state } = container.status;
      if (lease.onLeaseEnd === 'pause') this.#change(id, { from: 'running', to: 'paused' });
      else if (state === 'running' || state === 'paused') {
        const status = this.#end(id, container, 0);
        this.#machine.containers.set(id, { ...container, status: { ...status, leaseEnded: true } });
      }
    }
  }

  async keepLease(id: string, lease: KeptLease): Promise<void> {
    if (this.#machine.containers.has(id)) this.#machine.leases.set(id, lease);
  }

  async prepare(id: string, image: ImageSource): Promise<void> {
    this.#failIfTold('prepare');
    const { manifest } = this.#machine.containers.get(checkContainerId(id)) ?? {};
    if (manifest === image.manifest) return;
    if (manifest !== undefined)
      throw new LazaretError('conflict', `container ${id} was prepared from another image, ${manifest}`);
    await readLayoutImage(image);
    this.#machine.containers.set(id, { manifest: image.manifest, status: { id, state: 'prepared' } });
  }

  async start(id: string, spec: ContainerSpec): Promise<void> {
    this.#failIfTold('start');
    const container = this.#machine.containers.get(id);
    if (container === undefined) throw new LazaretError('notFound', `container ${id} is not prepared`);
    if (isUp(container)) return;
    this.#lastPid += 1;
    const status = { id, state: 'running', pid: this.#lastPid, startedAt: this.#clock.wallMs() } as const;
    const started: FakeContainer = { manifest: container.manifest, spec, status };
    this.#machine.containers.set(id, started);
    const end = this.#machine.behaviours.get(container.manifest)?.endsAtOnce;
    if (end) this.#end(id, started, end.exitCode, end.output);
  }

  async stop(id: string, deadlineMs: number): Promise<ContainerStatus> {
    this.#failIfTold('stop');
    const container = this.#machine.containers.get(id);
    if (container === undefined) return { id, state: 'exited' };
    if (!isUp(container)) return container.status;
    if (!this.#machine.behaviours.get(container.manifest)?.ignoresTerm) return this.#end(id, container, 0);
    await this.#clock.sleep(deadlineMs);
    return this.#end(id, container, 128 + 9);
  }

  async remove(id: string): Promise<void> {
    this.#failIfTold('remove');
    const container = this.#machine.containers.get(id);
    if (container && isUp(container))
      throw new LazaretError('conflict', `container ${id} runs; it must be stopped before it is removed`);
    this.#machine.containers.delete(id);
    this.#machine.leases.delete(id);
  }

  async list(): Promise<ContainerStatus[]> {
    this.#failIfTold('list');
    const statuses = [...this.#machine.containers.values()].map((container) => container.status);
    return statuses.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #change(id: string, { from, to }: { from: 'running' | 'paused'; to: 'running' | 'paused' }): void {
    const container = this.#machine.containers.get(id);
    if (container?.status.state !== from) return;
    this.#machine.containers.set(id, { ...container, status: { ...container.status, state: to } });
  }

  #end(id: string, container: FakeContainer, exitCode: number, output?: string): ContainerStatus {
    const { startedAt } = container.status;
    const status: ContainerStatus = {
      id,
      state: 'exited',
      exitCode,
      exitedAt: this.#clock.wallMs(),
      ...(startedAt !== undefined && { startedAt }),
      ...(output !== undefined && { lastOutput: output }),
    };
    this.#machine.containers.set(id, { ...container, status });
    return status;
  }

  #failIfTold(method: FakeMethod): void {
    const at = this.#failures.findIndex((failure) => failure.method === method);
    const [failure] = at === -1 ? [] : this.#failures.splice(at, 1);
    if (failure) throw failure.error;
  }
}

function isUp({ status }: FakeContainer): boolean {
  return status.state === 'running' || status.state === 'paused';
}
