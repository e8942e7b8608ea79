/** Debian's docker-registry, to be measured beside: a process of its own, with the values that its package configures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../../demo/ports.ts';
import { Missing } from '../../demo/preconditions.ts';
import { processListName } from '../../demo/processes.ts';
import { debianTools } from '../../scripts/debian-tools.ts';
import { removeTree } from '../../src/agent/runtimes/container-folder.ts';
import { findProcess } from '../../src/agent/runtimes/host-process.ts';
import type { BenchOptions } from '../benchmark.ts';

const readyMs = 15_000;
const pollMs = 20;

/** @returns the program; @throws Missing */
export async function dockerRegistryProgram(): Promise<string> {
  const folder = await debianTools(['docker-registry']).catch((cause: unknown) => {
    throw new Missing(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  return join(folder, 'docker-registry');
}

/** Starts it without authorisation, hands its address to `work`, stops it and removes its data. */
export async function withDockerRegistry<T>(
  { program, folder, signal }: Pick<BenchOptions, 'folder' | 'signal'> & { readonly program: string },
  work: (url: string) => Promise<T>,
): Promise<T> {
  const at = join(folder, 'docker-registry');
  await mkdir(at, { recursive: true, mode: 0o700 });
  const [port = 0] = await freePorts([0]);
  const config = join(at, 'config.yml');
  await writeFile(config, JSON.stringify(configuration(at, port)));
  await using log = await open(join(at, 'log'), 'a');
  const stdio: ['ignore', number, number] = ['ignore', log.fd, log.fd];
  const child = spawn(program, ['serve', config], { detached: true, stdio, env: { PATH: '/usr/bin:/bin' } });
  const ended = once(child, 'exit');
  ended.catch(() => {}); // a program that can't be started is told by `ready`
  try {
    const found = child.pid === undefined ? undefined : await findProcess(child.pid);
    if (found) await appendFile(join(folder, processListName), `${found.pid} ${found.startTicks}\n`);
    const url = `http://127.0.0.1:${port}`;
    const isOver = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (!(await ready(url, isOver, signal)))
      throw new Error(`docker-registry does not answer: ${await readFile(join(at, 'log'), 'utf8')}`);
    return await work(url);
  } finally {
    if (child.kill('SIGTERM')) await ended;
    await removeTree(at);
  }
}

/** As Debian's package has it, but for the password and the addresses. */
function configuration(folder: string, port: number) {
  return {
    version: '0.1',
    log: { fields: { service: 'registry' } },
    storage: {
      cache: { blobdescriptor: 'inmemory' },
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: true },
    },
    http: { addr: `127.0.0.1:${port}`, headers: { 'X-Content-Type-Options': ['nosniff'] } },
    health: { storagedriver: { enabled: true, interval: '10s', threshold: 3 } },
  };
}

async function ready(url: string, isOver: () => boolean, signal: AbortSignal): Promise<boolean> {
  const untilMs = performance.now() + readyMs;
  while (!isOver() && performance.now() < untilMs) {
    const answers = await fetch(`${url}/v2/`, { signal }).then(
      (response) => response.ok,
      () => false, // it does not listen yet
    );
    if (answers) return true;
    await delay(pollMs, undefined, { signal });
  }
  return false;
}
