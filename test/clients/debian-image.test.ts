/**
 * A real image and a real client: Debian 12, pushed and pulled by skopeo to and from a server process, and shown by the
 * command line. What is in it is compared with what its own tools say in test/images.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildRealImage, run, whyNone } from '../images/build.ts';

const outputBytesMax = 64 * 1024 * 1024;
const setUpMs = 900_000;
const none = await whyNone();

describe.skipIf(none !== undefined)(
  `a Debian 12 image${none === undefined ? '' : ` (skipped: ${none})`}`,
  () => {
    let folder: string;
    let layout: string;
    let server: LazaretServer;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lazaret-debian-'));
      layout = await buildRealImage('debian-minbase');
      server = await startServerProcess(join(folder, 'data'));
    }, setUpMs);
    afterAll(async () => {
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    }, setUpMs);

    /** As the administrator; `policy.json` need not be there. */
    const copy = (from: string, to: string, side: 'src' | 'dest') =>
      run('skopeo', [
        '--insecure-policy',
        'copy',
        '--quiet',
        `--${side}-tls-verify=false`,
        `--${side}-creds=admin:${server.password}`,
        from,
        to,
      ]);

    test('goes to the server and back by skopeo, and every digest stays the same', async () => {
      const there = `docker://127.0.0.1:${server.port}/acme/debian:12`;
      const back = join(folder, 'back');
      await copy(`oci:${layout}:latest`, there, 'dest');
      await copy(there, `oci:${back}:latest`, 'src');
      const blobs = async (of: string) => (await readdir(join(of, 'blobs', 'sha256'))).sort();
      expect(await blobs(back)).toEqual(await blobs(layout));
      const digests = async (of: string) => {
        const index: { manifests: { digest: string }[] } = JSON.parse(
          await readFile(join(of, 'index.json'), 'utf8'),
        );
        return index.manifests.map(({ digest }) => digest);
      };
      expect(await digests(back)).toEqual(await digests(layout));
    }, 120_000);

    test('is shown by the command line, with its packages', async () => {
      const show = async (...options: string[]) =>
        JSON.parse(await lazaret(server, 'image', 'show', 'acme/debian:12', ...options, '-o', 'json'));
      const shown = await show('--wait');
      const packages: { ecosystem: string }[] = await show('--packages');
      const facts = { state: 'done', reason: null, os: 'Debian 12', packages: { deb: packages.length } };
      expect(shown).toMatchObject(facts);
      expect([...new Set(packages.map(({ ecosystem }) => ecosystem))]).toEqual(['Debian:12']);
    }, 120_000);
  },
);

const executable = fileURLToPath(new URL('../../src/bin/lazaret.ts', import.meta.url));

interface LazaretServer {
  readonly port: number;
  readonly password: string;
  /** Where `lazaret` finds the administrator's credentials. */
  readonly dataFolder: string;
  stop(): Promise<void>;
}

/** The executable, in a process of its own. */
async function startServerProcess(dataFolder: string): Promise<LazaretServer> {
  const env = {
    ...process.env,
    LAZARET_DATA: dataFolder,
    LAZARET_LISTEN_PORT: '0',
    LAZARET_LISTEN_HOST: '127.0.0.1',
  };
  const child = spawn(process.execPath, [executable, 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  try {
    const port = await readyPort(child);
    const password = (await readFile(join(dataFolder, 'admin-password'), 'utf8')).trim();
    return { port, password, dataFolder, stop: () => stopped(child, exited) };
  } catch (error) {
    await stopped(child, exited);
    throw error;
  }
}

async function readyPort(child: ChildProcess): Promise<number> {
  const said: string[] = [];
  if (child.stderr)
    for await (const line of createInterface({ input: child.stderr })) {
      const port = /^ready .*:(\d+) ·/.exec(line)?.[1];
      if (port !== undefined) {
        child.stderr.resume();
        return Number(port);
      }
      said.push(line);
    }
  throw new Error(`the server did not start: ${said.join('\n')}`);
}

async function stopped(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await exited;
}

async function lazaret(server: LazaretServer, ...argv: string[]): Promise<string> {
  const url = `http://127.0.0.1:${server.port}`;
  const env = { ...process.env, LAZARET_SERVER: url, DOCKER_CONFIG: join(server.dataFolder, 'docker') };
  const login = spawn(process.execPath, [executable, 'login', '-u', 'admin', '--password-stdin'], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  login.stdin?.end(server.password);
  expect(await once(login, 'exit')).toEqual([0, null]);
  const { stdout } = await run(process.execPath, [executable, ...argv], { env, maxBuffer: outputBytesMax });
  return stdout;
}
