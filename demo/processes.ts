/**
 * The processes of the demo. Each is in a process group of its own, so that Ctrl-C at the terminal reaches only the demo,
 * which then ends them in the right order; and is written down in the demo's folder, so that a demo that was killed leaves
 * a list by which the next one ends what it left (leftovers.ts).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findProcess } from '../src/agent/runtimes/host-process.ts';

export const lazaretFile = fileURLToPath(new URL('../src/bin/lazaret.ts', import.meta.url));
export const processListName = 'processes';

const stopMs = 12_000;
const readyMs = 30_000;

export interface LazaretProcess {
  readonly pid: number;
  readonly logFile: string;
  /** TERM, then KILL after 12 s. Not running is not an error. */
  stop(): Promise<void>;
  /** KILL at once; resolves when it has ended. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  /** `home`: names its log in `folder`. */
  readonly name: string;
  readonly folder: string;
  /** Of `lazaret`: `serve --config …`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** It is ready when it has said this on standard error. */
  readonly ready: RegExp;
  readonly signal: AbortSignal;
}

/** Starts the real executable. @throws Error with what it said last, if it ends or isn't ready in time */
export async function startLazaret(options: ProcessOptions): Promise<LazaretProcess> {
  const { name, folder, args, env, ready, signal } = options;
  const logFile = join(folder, `${name}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  const child = spawn(process.execPath, [lazaretFile, ...args], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  let said = '';
  const exited = once(child, 'exit');
  const isReady = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) =>
      reject(new Error(`lazaret ${args[0]} (${name}) ended with code ${code}: ${said.trim()}`)),
    );
    child.stderr.on('data', (chunk: Buffer) => {
      log.write(chunk);
      said = `${said}${chunk.toString()}`.slice(-4_000);
      if (ready.test(said)) resolve();
    });
  });
  const isOver = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const kill = async () => {
    if (isOver()) return;
    child.kill('SIGKILL');
    await exited;
    log.end();
  };
  const stop = async () => {
    if (isOver()) return;
    child.kill('SIGTERM');
    const waiting = new AbortController();
    const late = delay(stopMs, 'late', { signal: waiting.signal }).catch(() => 'ended');
    if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL');
    waiting.abort();
    await exited;
    log.end();
  };
  try {
    const { pid } = child;
    if (pid !== undefined) await writeDown(folder, pid);
    await withinReach(isReady, { name, signal });
    assert(pid !== undefined, 'what is ready has begun');
    return { pid, logFile, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeDown(folder: string, pid: number): Promise<void> {
  const found = await findProcess(pid);
  if (found) await appendFile(join(folder, processListName), `${found.pid} ${found.startTicks}\n`);
}

async function withinReach(
  isReady: Promise<void>,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<void> {
  const waiting = new AbortController();
  const either = AbortSignal.any([signal, waiting.signal]);
  const late = delay(readyMs, undefined, { signal: either }).then(() => {
    throw new Error(`lazaret (${name}) was not ready within ${readyMs / 1000} s`);
  });
  late.catch(() => {});
  try {
    await Promise.race([isReady, late]);
  } finally {
    waiting.abort();
    isReady.catch(() => {});
  }
}
