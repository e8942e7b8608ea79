import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { Client } from '../../src/client/client.ts';

const executable = fileURLToPath(new URL('../../src/bin/lazaret.ts', import.meta.url));

/** `lazaret serve` as an operator starts it. */
export interface Serving {
  readonly process: ChildProcess;
  readonly dataFolder: string;
  readonly admin: Client;
  /** What it has logged. */
  readonly log: readonly LogLine[];
  /** The line of the request that was answered with this id, once it is there. */
  readonly logged: (requestId: string) => Promise<LogLine>;
  /** Ends it, if it has not ended, and removes its data, unless they were given. */
  readonly close: () => Promise<void>;
}

export interface LogLine {
  readonly msg: string;
  readonly process?: number;
  readonly reqId?: string;
  readonly from?: string;
}

/** For a busy machine: nothing here is judged by its speed. */
export const patience = { timeout: 25_000 };

export async function startServing(environment: Readonly<Record<string, string>> = {}): Promise<Serving> {
  const dataFolder = environment.LAZARET_DATA ?? (await mkdtemp(join(tmpdir(), 'lazaret-serve-')));
  const defaults = { PATH: process.env.PATH, LAZARET_LISTEN_PORT: '0', LAZARET_DATA: dataFolder };
  const child = spawn(process.execPath, [executable, 'serve'], {
    env: { ...defaults, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => void log.push(JSON.parse(line)));
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (environment.LAZARET_DATA === undefined)
      await rm(dataFolder, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const url = await readyUrl(child);
    const password = await readFile(join(dataFolder, 'admin-password'), 'utf8');
    const credentials = { kind: 'basic', username: 'admin', password: password.trim() } as const;
    const logged = (id: string) =>
      vi.waitFor(() => {
        const line = log.find(({ reqId }) => reqId === id);
        if (line) return line;
        throw new Error(`no line of request ${id}`);
      }, patience);
    return { process: child, dataFolder, admin: { url, credentials }, log, logged, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readyUrl({ stderr }: { readonly stderr: Readable }): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    lines.push(line);
    const [, url] = /^ready .* (https?:\S+) · data/.exec(line) ?? [];
    if (url === undefined) continue;
    stderr.resume();
    return url;
  }
  throw new Error(`the server ended: ${lines.join('\n')}`);
}
