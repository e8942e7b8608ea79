/**
 * The servers of one engine, as real processes on fixed ports, each in a process group of its own. A server may be killed
 * and started again at any time; when it was not there is remembered, since only then an answer may fail to come.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { freePorts } from '../../demo/ports.ts';
import type { Span } from './quarantines.ts';
import { serverSettings } from './settings.ts';

export const lazaretFile = fileURLToPath(new URL('../../src/bin/lazaret.ts', import.meta.url));
const preload = new URL('./short-limits.ts', import.meta.url).href;
const readyMs = 180_000;
/** Below those that the kernel gives to whoever connects: while a server is dead, its port must stay free. */
const portsFrom = 20_000;
const portsCount = 10_000;

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly pool: Pool;
}

interface Running extends Server {
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  process: ChildProcess | undefined;
  readonly absences: { from: number; until: number }[];
}

export class Fleet {
  readonly #servers: Running[] = [];
  kills = 0;

  /** @param environment of each server: its database and its blobs */
  static async open(ask: {
    folder: string;
    count: number;
    environment: Readonly<Record<string, string>>;
  }): Promise<Fleet> {
    const fleet = new Fleet();
    const wanted = Array.from({ length: ask.count }, () => portsFrom + randomInt(portsCount));
    const ports = await freePorts(wanted);
    for (let at = 0; at < ask.count; at++) {
      const name = `server-${at}`;
      const data = join(ask.folder, name);
      await mkdir(data, { recursive: true });
      const port = ports[at];
      if (port === undefined) throw new Error('no free port');
      const url = `http://127.0.0.1:${port}`;
      fleet.#servers.push({
        name,
        url,
        // An unused connection is closed well before the server does so: else a request might meet that.
        pool: new Pool(url, {
          connections: 32,
          keepAliveMaxTimeout: 30_000,
          headersTimeout: 120_000,
          bodyTimeout: 120_000,
        }),
        environment: {
          PATH: process.env.PATH ?? '',
          ...serverSettings,
          ...ask.environment,
          LAZARET_DATA: data,
          LAZARET_LISTEN_PORT: String(port),
          LAZARET_URL: url,
        },
        logFile: join(ask.folder, `${name}.log`),
        process: undefined,
        absences: [],
      });
    }
    return fleet;
  }

  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** One after the other: the first makes the tables. */
  async start(): Promise<void> {
    for (const server of this.#servers) await this.#launch(server);
  }

  /** What the administrator's password is, after the first start. */
  async password(): Promise<string> {
    const data = this.#servers[0]?.environment.LAZARET_DATA ?? '';
    return (await readFile(join(data, 'admin-password'), 'utf8')).trim();
  }

  /** SIGKILL, and again after a while. */
  async killAndRestart(name: string, downMs: number): Promise<void> {
    const server = this.#servers.find((each) => each.name === name);
    if (!server?.process) return;
    const absence = { from: performance.now(), until: Infinity };
    server.absences.push(absence);
    await this.#end(server, 'SIGKILL');
    this.kills += 1;
    await delay(downMs);
    await this.#launch(server);
    absence.until = performance.now();
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        await this.#end(server, 'SIGKILL');
        await server.pool.destroy();
      }),
    );
  }

  /** Whether a server was not there for some of that time. */
  wasAway({ name }: Server, { startedAt, endedAt }: Span): boolean {
    const server = this.#servers.find((each) => each.name === name);
    return server?.absences.some((each) => each.from <= endedAt && each.until >= startedAt) ?? false;
  }

  /** Different errors that their logs tell of. */
  async errors(): Promise<string[]> {
    const found = new Set<string>();
    for (const { logFile } of this.#servers)
      for (const line of (await readFile(logFile, 'utf8').catch(() => '')).split('\n')) {
        if (!line.includes('"level":50')) continue;
        const said: { task?: string; error?: string; msg: string; err?: { stack?: string } } =
          JSON.parse(line);
        const where = /src\/\S+/.exec(said.err?.stack ?? line)?.[0] ?? '';
        found.add(`${said.msg} ${said.task ?? ''}: ${said.error} at ${where}`);
      }
    return [...found];
  }

  async #launch(server: Running): Promise<void> {
    const log = createWriteStream(server.logFile, { flags: 'a' });
    const child = spawn(process.execPath, ['--import', preload, lazaretFile, 'serve'], {
      env: server.environment,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    server.process = child;
    child.stdin.on('error', () => {});
    child.stdout.pipe(log, { end: false });
    const ready = Promise.withResolvers<void>();
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      log.write(chunk);
      said = `${said}${chunk.toString()}`.slice(-2_000);
      if (/^ready /m.test(said)) ready.resolve();
    });
    child.on('error', ready.reject);
    child.on('exit', (code, signal) => {
      log.end();
      ready.reject(new Error(`${server.name} ended with ${signal ?? code}: ${said}`));
    });
    const late = setTimeout(() => ready.reject(new Error(`${server.name} was not ready in time`)), readyMs);
    try {
      await ready.promise;
    } finally {
      clearTimeout(late);
    }
  }

  async #end(server: Running, signal: NodeJS.Signals): Promise<void> {
    const child = server.process;
    server.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, signal);
    await ended;
  }
}
