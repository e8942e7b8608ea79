/** One server, a process of its own with an empty data folder on the filesystem and SQLite. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../demo/ports.ts';
import { startLazaret } from '../demo/processes.ts';
import { removeTree } from '../src/agent/runtimes/container-folder.ts';
import type { Credentials } from '../src/client/client.ts';
import type { BenchOptions } from './benchmark.ts';

export interface OneServer {
  readonly url: string;
  /** Of the first start. */
  readonly pid: number;
  /** From before the process was made to the first 200 of /readyz. */
  readonly readyMs: number;
  readonly admin: Credentials;
  /** Its data folder. */
  readonly data: string;
  /** Stops it and starts it again with what it has, in another process. @returns as `readyMs` */
  readonly startAgain: () => Promise<number>;
}

/** Starts a server, hands it to `work`, stops it and removes its data. */
export async function withFreshServer<T>(
  { folder, signal }: Pick<BenchOptions, 'folder' | 'signal'>,
  work: (server: OneServer) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  signal.throwIfAborted();
  await mkdir(join(folder, 'tmp'), { recursive: true, mode: 0o700 });
  const [port = 0] = await freePorts([0]);
  const url = `http://127.0.0.1:${port}`;
  const data = join(folder, 'data');
  const env = environment(folder, { LAZARET_DATA: data, LAZARET_LISTEN_PORT: String(port), ...settings });
  try {
    let running = await started({ folder, url, env, signal });
    const startAgain = async () => {
      await running.server.stop();
      running = await started({ folder, url, env, signal });
      return running.readyMs;
    };
    try {
      const { readyMs, server } = running;
      const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
      const admin = { kind: 'basic', username: 'admin', password } as const;
      return await work({ url, pid: server.pid, readyMs, data, admin, startAgain });
    } finally {
      await running.server.stop();
    }
  } finally {
    await removeTree(folder);
  }
}

interface Start {
  readonly folder: string;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function started({ folder, url, env, signal }: Start) {
  const startedMs = performance.now();
  const starting = startLazaret({ name: 'server', folder, args: ['serve'], env, ready: /^ready /m, signal });
  try {
    const readyMs = await readiness(url, { startedMs, starting, signal });
    return { readyMs, server: await starting };
  } catch (error) {
    // One that could not start has ended by itself.
    await starting.then(
      (server) => server.stop(),
      () => undefined,
    );
    throw error;
  }
}

const pollMs = 4;

interface Readiness {
  readonly startedMs: number;
  /** Its failure ends the waiting. */
  readonly starting: Promise<unknown>;
  readonly signal: AbortSignal;
}

async function readiness(url: string, { startedMs, starting, signal }: Readiness): Promise<number> {
  let failed = false;
  starting.catch(() => {
    failed = true;
  });
  while (!failed) {
    signal.throwIfAborted();
    const status = await fetch(`${url}/readyz`, { signal }).then(
      (response) => response.status,
      () => undefined, // it does not listen yet
    );
    if (status === 200) return performance.now() - startedMs;
    await delay(pollMs, undefined, { signal });
  }
  await starting; // throws why
  throw new Error('the server did not start');
}

function environment(folder: string, settings: Readonly<Record<string, string>>): Record<string, string> {
  const PATH = process.env.PATH ?? '/usr/bin:/bin';
  return { PATH, HOME: folder, TMPDIR: join(folder, 'tmp'), ...settings };
}
