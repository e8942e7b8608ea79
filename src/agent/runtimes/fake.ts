/** A runtime that runs nothing, for tests: it reads images as a real one does, and its containers do as they are told. */
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { checkContainerId } from './container-id.ts';
import { readLayoutImage } from './image-layout.ts';
import type { ContainerSpec, ContainerStatus, ImageSource, Runtime } from './runtime.ts';

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
}

export interface FakeContainer {
  readonly manifest: Digest;
  readonly spec?: ContainerSpec;
  readonly status: ContainerStatus;
}

export function fakeMachine(): FakeMachine {
  return { containers: new Map(), behaviours: new Map() };
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
    if (container.status.state === 'running') return;
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
    if (container.status.state !== 'running') return container.status;
    if (!this.#machine.behaviours.get(container.manifest)?.ignoresTerm) return this.#end(id, container, 0);
    await this.#clock.sleep(deadlineMs);
    return this.#end(id, container, 128 + 9);
  }

  async remove(id: string): Promise<void> {
    this.#failIfTold('remove');
    if (this.#machine.containers.get(id)?.status.state === 'running')
      throw new LazaretError('conflict', `container ${id} runs; it must be stopped before it is removed`);
    this.#machine.containers.delete(id);
  }

  async list(): Promise<ContainerStatus[]> {
    this.#failIfTold('list');
    const statuses = [...this.#machine.containers.values()].map((container) => container.status);
    return statuses.sort((a, b) => (a.id < b.id ? -1 : 1));
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
