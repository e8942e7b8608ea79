/**
 * `lazaret import` from what other tools make: skopeo's archives and layouts, and a real CNCF distribution, by its API and
 * by its data folder. What cannot be had here is skipped by name.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianTools } from '../../scripts/debian-tools.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { lazaret } from '../support/command-line.ts';
import { http } from '../support/http.ts';
import { type ImportContent, importContent, writeImportLayout } from '../support/import-content.ts';
import { buildImage, buildLayer, type Image, mediaTypes, writeLayout } from '../support/oci-layout.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const run = promisify(execFile);
const stepMs = 120_000;
const skopeo = join(await debianTools(['skopeo']), 'skopeo');
const registryProgram = await debianTools(['docker-registry']).then(
  (bin) => join(bin, 'docker-registry'),
  () => undefined,
);

let server: TestServer;
let folder: string;
let image: Image;
let of: ImportContent;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-import-'));
  const layers = ['bin/sh', 'app/main.js'].map((path) => buildLayer([{ path, content: path }]));
  image = buildImage({ layers: await Promise.all(layers), config: { Cmd: ['/bin/sh'] } });
  of = await importContent();
  await mkdir(join(folder, 'layout'), { recursive: true });
  await writeLayout(join(folder, 'layout'), image);
  await writeImportLayout(join(folder, 'many'), of);
}, stepMs);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('what skopeo writes', () => {
  test.each([
    ['an OCI layout', (at: string) => `oci:${at}:1`, (at: string) => `oci:${at}:1`],
    ['an OCI archive', (at: string) => `oci-archive:${at}.tar:1`, (at: string) => `${at}.tar`],
  ])(
    '%s comes with its digest',
    async (kind, write, read) => {
      const at = join(folder, kind.replaceAll(' ', '-'));
      await run(skopeo, ['copy', `oci:${join(folder, 'layout')}:latest`, write(at)]);
      const repository = `acme/${kind.replaceAll(' ', '-').toLowerCase()}`;
      expect(await lazaret(server.admin, 'import', read(at), repository)).toMatchObject({ code: 0 });
      expect(await digestOf(repository, '1')).toBe(image.manifest.digest);
    },
    stepMs,
  );

  test(
    'a docker archive comes with its layers, under a manifest that skopeo reads back',
    async () => {
      const archive = join(folder, 'saved.tar');
      await run(skopeo, [
        'copy',
        `oci:${join(folder, 'layout')}:latest`,
        `docker-archive:${archive}:team/shop:7`,
      ]);
      const { code, text } = await lazaret(server.admin, 'import', archive);
      expect(code).toBe(0);
      expect(text).toContain('the archive has no manifests');
      const back = join(folder, 'back');
      const { credentials } = server.admin;
      const creds = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : '';
      const from = `docker://127.0.0.1:${new URL(server.url).port}/team/shop:7`;
      await run(skopeo, ['copy', '--src-tls-verify=false', `--src-creds=${creds}`, from, `oci:${back}:1`]);
      const got = await http(server.admin, 'GET /v2/team/shop/manifests/7', {
        headers: { accept: mediaTypes.manifest },
      });
      const manifest = parseManifest(Buffer.from(await got.arrayBuffer()));
      expect(manifest.kind === 'image' && manifest.layers.map(({ digest }) => digest)).toEqual(
        image.layers.map(({ diffId }) => diffId),
      );
    },
    stepMs,
  );
});

describe.skipIf(registryProgram === undefined)(
  'a real distribution (skipped where docker-registry is lacking)',
  () => {
    let old: Registry;
    beforeAll(async () => {
      old = await startRegistry(registryProgram ?? '', join(folder, 'registry'));
      const to = ['--dest-tls-verify=false', `--dest-creds=${login}`];
      const push = (from: string, reference: string, ...more: string[]) =>
        run(skopeo, ['copy', ...more, ...to, from, `docker://${old.host}/${reference}`]);
      await push(`oci:${join(folder, 'layout')}:latest`, 'team/shop:1');
      await push(`oci:${join(folder, 'layout')}:latest`, 'team/shop:docker', '--format=v2s2');
      await push(`oci:${join(folder, 'many')}:multi`, 'team/tools/lint:multi', '--all');
    }, stepMs);
    afterAll(() => old.close());

    test(
      'gives all its repositories by its API, with Basic credentials',
      async () => {
        const argv = ['import', `docker://${old.host}`, 'api/', '--src-creds', login];
        expect(await lazaret(server.admin, ...argv)).toMatchObject({ code: 0 });
        await expectSame('api');
        const again = await lazaret(server.admin, ...argv, '-o', 'json');
        expect(JSON.parse(again.text)).toMatchObject({
          complete: true,
          repositories: [{ tags: { copied: 0, present: 2 } }, {}],
        });
      },
      stepMs,
    );

    test(
      'gives them by its data folder too',
      async () => {
        const { code } = await lazaret(server.admin, 'import', old.data, 'data/');
        expect(code).toBe(0);
        await expectSame('data');
      },
      stepMs,
    );

    test('says that it wants a password', async () => {
      const asked = lazaret(server.admin, 'import', `docker://${old.host}`, 'none/');
      await expect(asked).rejects.toMatchObject({ code: 'unauthorized' });
    });

    async function expectSame(prefix: string): Promise<void> {
      for (const reference of ['team/shop:1', 'team/shop:docker', 'team/tools/lint:multi']) {
        const [repository = '', tag = ''] = reference.split(':');
        const at = [`--tls-verify=false`, `--creds=${login}`];
        const { stdout } = await run(skopeo, [
          'inspect',
          '--raw',
          ...at,
          `docker://${old.host}/${reference}`,
        ]);
        const here = await http(server.admin, `GET /v2/${prefix}/${repository}/manifests/${tag}`, {
          headers: { accept: '*/*' },
        });
        expect(await here.text()).toBe(stdout);
      }
      expect(await digestOf(`${prefix}/team/tools/lint`, of.other.manifest.digest)).toBe(
        of.other.manifest.digest,
      );
    }
  },
);

async function digestOf(repository: string, reference: string): Promise<string | null> {
  const found = await http(server.admin, `HEAD /v2/${repository}/manifests/${reference}`);
  return found.headers.get('docker-content-digest');
}

interface Registry {
  readonly host: string;
  readonly data: string;
  close(): Promise<void>;
}

const login = 'jo:old-secret';
/** Of that password, by bcrypt with the least work. */
const hash = '$2y$04$abcdefghijklmnopqrstuu03.JeJL.No2w4bJZLh2xyM951aE4R..';

async function startRegistry(program: string, at: string): Promise<Registry> {
  await mkdir(join(at, 'data'), { recursive: true });
  await writeFile(join(at, 'htpasswd'), `jo:${hash}\n`);
  const config = {
    version: '0.1',
    log: { level: 'info', formatter: 'text' },
    storage: { filesystem: { rootdirectory: join(at, 'data') } },
    http: { addr: '127.0.0.1:0' },
    auth: { htpasswd: { realm: 'old', path: join(at, 'htpasswd') } },
  };
  await writeFile(join(at, 'config.yml'), JSON.stringify(config));
  const child = spawn(program, ['serve', join(at, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const port = await listening(child);
  return {
    host: `127.0.0.1:${port}`,
    data: join(at, 'data'),
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** It says where it listens. */
async function listening(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('it can’t be heard');
  const lines: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    lines.push(line);
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      child.stderr.resume();
      return port;
    }
  }
  throw new Error(`docker-registry ended: ${lines.join('\n')}`);
}
