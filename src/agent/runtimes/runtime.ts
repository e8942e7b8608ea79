import type { Digest } from '../../oci/digest.ts';

/**
 * What runs containers on an instance. Drivers: `runc` (no daemon), `fake` (tests); docker and kubernetes come later.
 * Every method is idempotent: the reconciler calls it again after a crash.
 */
export interface Runtime {
  readonly name: string;
  /** Whether the kernel ends the container when its keeper ends, so that a lease holds without the agent. */
  readonly hardLease: boolean;
  /** How it pauses containers; absent when it can't. */
  readonly freezer: Freezer | undefined;
  /** Unpacks the image in `layout` (an OCI image layout with this manifest) for `id`. @throws unavailable, invalid */
  prepare(id: string, image: ImageSource, signal?: AbortSignal): Promise<void>;
  /** Starts what was prepared. A container that runs already is left as it is. */
  start(id: string, spec: ContainerSpec): Promise<void>;
  /** TERM, then KILL after `deadlineMs`; resolves when its exit was seen. Not running is not an error. */
  stop(id: string, deadlineMs: number): Promise<ContainerStatus>;
  /** Everything of the container and its unpacked copy goes. It must not run. */
  remove(id: string): Promise<void>;
  /**
   * Hands the lease to the keeper of the container, which ends or pauses it at its end also when no agent lives: before
   * the start, then at each renewal. Nothing is prepared: nothing happens.
   */
  keepLease(id: string, lease: KeptLease): Promise<void>;
  /** What this runtime has, also what an earlier agent process started. */
  list(): Promise<ContainerStatus[]>;
}

export interface Freezer {
  /** A container that is paused, or does not run, is left as it is. */
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
}

export interface KeptLease {
  /** Boot clock. */
  readonly expiresAtBootMs: number;
  /** Wall time less boot time when the lease was asked for. */
  readonly wallLeadMs: number;
  readonly onLeaseEnd: 'stop' | 'pause';
  readonly stopDeadlineMs: number;
}

export interface ImageSource {
  readonly layoutFolder: string;
  readonly manifest: Digest;
}

export interface ContainerSpec {
  readonly env: Readonly<Record<string, string>>;
  readonly hostname: string;
}

export interface ContainerStatus {
  readonly id: string;
  readonly state: 'prepared' | 'running' | 'paused' | 'exited';
  readonly pid?: number;
  readonly exitCode?: number;
  /** Milliseconds since 1970. */
  readonly startedAt?: number;
  readonly exitedAt?: number;
  /** Its keeper ended it, since its lease had ended. */
  readonly leaseEnded?: boolean;
  /** The last lines of output of a container that ended by itself, for the person who asks why. */
  readonly lastOutput?: string;
}
