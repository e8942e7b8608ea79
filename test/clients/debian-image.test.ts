/**
 * A real image and a real client: Debian 12 as mmdebstrap makes it from the archive that this machine's apt uses, pushed
 * and pulled by skopeo to and from a server process, and its packages as dpkg itself lists them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianTools } from '../../scripts/debian-tools.ts';
import { buildImage, compressLayer, type Image, writeLayout } from '../support/oci-layout.ts';

const run = promisify(execFile);
const outputBytesMax = 64 * 1024 * 1024;
/** Most of it is mmdebstrap's. */
const setUpMs = 240_000;

const { archive, cause } = await conditions();

describe.skipIf(cause !== undefined)(
  `a Debian 12 image${cause === undefined ? '' : ` (skipped: ${cause})`}`,
  () => {
    let folder: string;
    let image: Image;
    let installed: string[];
    let skopeo: string;
    let server: LazaretServer;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lazaret-debian-'));
      skopeo = join(await debianTools(['skopeo']), 'skopeo');
      const tar = join(folder, 'root.tar');
      await debianTar(tar, archive);
      installed = await installedPackages(tar, folder);
      image = buildImage({ layers: [await compressLayer(await readFile(tar), { gzipLevel: 1 })] });
      await writeLayout(join(folder, 'layout'), image);
      server = await startServerProcess(join(folder, 'data'));
    }, setUpMs);
    afterAll(async () => {
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    }, setUpMs);

    /** As the administrator; `policy.json` need not be there. */
    const copy = (from: string, to: string, side: 'src' | 'dest') =>
      run(skopeo, [
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
      await copy(`oci:${join(folder, 'layout')}:latest`, there, 'dest');
      await copy(there, `oci:${join(folder, 'back')}:latest`, 'src');
      const digests = (layout: string) => readdir(join(folder, layout, 'blobs', 'sha256'));
      expect((await digests('back')).sort()).toEqual((await digests('layout')).sort());
      const index: { manifests: { digest: string }[] } = JSON.parse(
        await readFile(join(folder, 'back', 'index.json'), 'utf8'),
      );
      expect(index.manifests.map(({ digest }) => digest)).toEqual([image.manifest.digest]);
    }, 120_000);

    test('has exactly the packages that dpkg-query lists', async () => {
      const show = async (...options: string[]) =>
        JSON.parse(await lazaret(server, 'image', 'show', 'acme/debian:12', ...options, '-o', 'json'));
      expect(await show('--wait')).toMatchObject({
        state: 'done',
        reason: null,
        os: 'Debian 12',
        packages: { deb: installed.length },
      });
      const packages: { name: string; version: string; purl: string; ecosystem: string }[] =
        await show('--packages');
      const listed = packages.map(({ name, version, purl }) => {
        const architecture = new URLSearchParams(purl.split('?')[1]).get('arch');
        return `${name} ${architecture} ${version}`;
      });
      expect(listed.sort()).toEqual(installed);
      expect([...new Set(packages.map(({ ecosystem }) => ecosystem))]).toEqual(['Debian:12']);
    }, 120_000);
  },
);

/** What this test needs of the machine. `cause`: what is missing. */
async function conditions(): Promise<{ archive: string; cause: string | undefined }> {
  const missing = (why: string) => ({ archive: '', cause: why });
  if (process.getuid?.() !== 0) return missing('making a root file system takes root');
  for (const tool of ['mmdebstrap', 'dpkg-query', 'apt-get'])
    if (!(await run('which', [tool]).catch(() => undefined))) return missing(`there is no ${tool}`);
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Codename: bookworm',
    'Component: main',
  ]);
  const [first] = stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
  return first === undefined
    ? missing('apt knows no archive of Debian 12')
    : { archive: first, cause: undefined };
}

async function debianTar(file: string, from: string): Promise<void> {
  const options = ['--quiet', '--variant=essential', '--format=tar', '--dpkgopt=force-unsafe-io'];
  const source = `deb ${from} bookworm main`;
  await run('mmdebstrap', [...options, 'bookworm', file, source], { env: { ...process.env, LC_ALL: 'C' } });
}

/** `NAME ARCHITECTURE VERSION`, sorted. */
async function installedPackages(tar: string, folder: string): Promise<string[]> {
  const root = join(folder, 'dpkg');
  await mkdir(root);
  await run('tar', ['-xf', tar, '-C', root, './var/lib/dpkg']);
  const format = ['Package', 'Architecture', 'Version'].map((field) => `\${${field}}`).join(' ');
  const { stdout } = await run('dpkg-query', [
    '-W',
    `--admindir=${join(root, 'var', 'lib', 'dpkg')}`,
    `--showformat=${format}\\n`,
  ]);
  return stdout.trim().split('\n').sort();
}

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
