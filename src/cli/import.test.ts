/** `lazaret import` into a real server: complete, again, refused, in disorder. */
import { mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import { http } from '../../test/support/http.ts';
import {
  distributionData,
  type ImportContent,
  importContent,
  pushContent,
  writeDistributionFolder,
  writeImportLayout,
} from '../../test/support/import-content.ts';
import { imported } from '../../test/support/imported.ts';
import { buildLayer, type Content, descriptor, jsonContent } from '../../test/support/oci-layout.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import type { Client } from '../client/client.ts';
import { digestOf } from '../oci/digest.ts';

let server: TestServer;
let folder: string;
let of: ImportContent;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-import-test-'));
  of = await importContent();
  await writeImportLayout(join(folder, 'layout'), of);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('from an OCI layout', () => {
  const from = () => join(folder, 'layout');

  it('tells what would be copied, and copies nothing, in a dry run', async () => {
    const { text, code } = await lazaret(server.admin, 'import', from(), 'acme/dry', '--dry-run');
    expect(code).toBe(0);
    expect(text).toMatch(/would import OCI layout/);
    expect(text).toMatch(/acme\/dry +2 +3 +1 +6 +\d/);
    expect((await http(server.admin, 'GET /v2/acme/dry/tags/list')).status).toBe(404);
  });

  it('brings tags, indexes and referrers with their digests, and finds nothing to do the second time', async () => {
    const first = await imported(server.admin, from(), 'acme/shop');
    expect(first).toMatchObject({ code: 0, complete: true, differences: [] });
    expect(first.repositories).toMatchObject([
      {
        repository: 'acme/shop',
        tags: { copied: 2 },
        manifests: { copied: 3 },
        referrers: { copied: 1 },
        blobs: { copied: 6 },
      },
    ]);
    await expectAll('acme/shop');
    const second = await imported(server.admin, from(), 'acme/shop');
    expect(second).toMatchObject({ code: 0, complete: true });
    expect(second.repositories[0]).toMatchObject({
      tags: { copied: 0, present: 2 },
      manifests: { copied: 0, present: 3 },
      copiedBytes: 0,
    });
  });

  it('mounts what the server has in another repository of the import', async () => {
    const data = join(folder, 'twice');
    await writeDistributionFolder(data, 'one', of);
    await writeDistributionFolder(data, 'two', of);
    const { repositories, code } = await imported(server.admin, data, 'twice/');
    expect(code).toBe(0);
    expect(repositories.map(({ repository }) => repository)).toEqual(['twice/one', 'twice/two']);
    expect(repositories.reduce((sum, one) => sum + one.mounted, 0)).toBe(of.blobs.length);
    await expectAll('twice/two');
  });

  it('takes one image under a name of its own', async () => {
    expect((await imported(server.admin, `oci:${from()}:1`, 'acme/one:stable')).code).toBe(0);
    expect(await tagsOf('acme/one')).toEqual(['stable']);
    await expect(imported(server.admin, from(), 'acme/one:stable')).rejects.toThrow('DEST has a tag');
    await expect(imported(server.admin, from())).rejects.toThrow('does not name its repository');
  });
});

describe('content of many kinds', () => {
  it('keeps sha512 digests, Docker’s types, and unknown fields; leaves foreign layers to whoever runs the image', async () => {
    const at = join(folder, 'kinds');
    const layer = await buildLayer([{ path: 'a', content: 'by sha512' }]);
    const long = digestOf(layer.bytes, 'sha512');
    const config = { ...of.image.config, mediaType: 'application/vnd.docker.container.image.v1+json' };
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: digestOf('elsewhere'),
      size: 9,
      urls: ['https://elsewhere.example/layer'],
    };
    const manifest = jsonContent('application/vnd.docker.distribution.manifest.v2+json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: descriptor(config),
      layers: [{ ...descriptor(layer), digest: long }, foreign],
      odd: { kept: true },
    });
    const blobs = { [manifest.digest]: manifest.bytes, [config.digest]: config.bytes, [long]: layer.bytes };
    for (const [digest, bytes] of Object.entries(blobs)) {
      await mkdir(join(at, 'blobs', digest.slice(0, 6)), { recursive: true });
      await writeFile(join(at, 'blobs', digest.replace(':', '/')), bytes);
    }
    const named = { ...descriptor(manifest), annotations: { 'org.opencontainers.image.ref.name': '1' } };
    await writeFile(join(at, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
    const report = await imported(server.admin, at, 'acme/kinds');
    expect(report).toMatchObject({ code: 0, repositories: [{ foreign: 1 }] });
    expect((await http(server.admin, `HEAD /v2/acme/kinds/blobs/${long}`)).status).toBe(200);
    const back = await http(server.admin, 'GET /v2/acme/kinds/manifests/1');
    expect(back.headers.get('docker-content-digest')).toBe(manifest.digest);
  });
});

describe('from another server', () => {
  let old: TestServer;
  let creds: string;
  beforeAll(async () => {
    old = await startTestServer();
    const { credentials } = old.admin;
    creds = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : '';
    await pushContent(old.admin, 'team/shop', of);
    await pushContent(old.admin, 'team/tools/lint', of);
  });
  afterAll(() => old.close());
  const host = () => `docker://${new URL(old.url).host}`;

  it('brings all repositories that its catalog shows, referrers too', async () => {
    const report = await imported(server.admin, host(), 'below/', '--src-creds', creds);
    expect(report).toMatchObject({ code: 0, complete: true });
    for (const repository of ['below/team/shop', 'below/team/tools/lint']) await expectAll(repository);
  });

  it('brings chosen repositories and tags under their names', async () => {
    const chosen = ['--repositories', 'team/tools/*', '--tags', '1'];
    const report = await imported(server.admin, host(), ...chosen, '--src-creds', creds);
    expect(report.repositories.map(({ repository }) => repository)).toEqual(['team/tools/lint']);
    expect(await tagsOf('team/tools/lint')).toEqual(['1']);
  });

  it('says that the password is wrong', async () => {
    const asked = imported(server.admin, host(), 'acme/', '--src-creds', 'admin:wrong');
    await expect(asked).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('leaves out what the source has under quarantine, with the reason', async () => {
    await quarantined(old.admin, 'team/tools/lint', of.image.layers[1]);
    const report = await imported(
      server.admin,
      `${host()}/team/tools/lint`,
      'acme/refused',
      '--src-creds',
      creds,
    );
    expect(report.code).toBe(2);
    expect(report.differences.find(({ what }) => what === 'tag 1')).toMatchObject({
      lack: 'refused',
      reason: expect.stringContaining('DRILL'),
    });
  });
});

describe('a quarantine at the destination', () => {
  it('refuses what it reaches, with its reason, and the rest comes', async () => {
    const own = await startTestServer();
    try {
      await imported(own.admin, join(folder, 'layout'), 'acme/shop');
      await quarantined(own.admin, 'acme/shop', of.image.layers[1]);
      const report = await imported(own.admin, join(folder, 'layout'), 'acme/again');
      expect(report.code).toBe(2);
      const refused = report.differences.map(({ what, lack, reason }) => `${what} ${lack} ${reason}`);
      expect(refused).toContainEqual(expect.stringMatching(/^tag 1 refused .*DRILL/));
      expect(
        (await http(own.admin, `HEAD /v2/acme/again/manifests/${of.other.manifest.digest}`)).status,
      ).toBe(200);
    } finally {
      await own.close();
    }
  });
});

describe('a source in disorder', () => {
  it('is told of, and what is whole of it comes', async () => {
    const data = join(folder, 'broken');
    await writeDistributionFolder(data, 'shop', of);
    const own = join(data, 'docker/registry/v2/repositories/shop/_manifests');
    const link = async (tag: string, text: string) => {
      await mkdir(join(own, 'tags', tag, 'current'), { recursive: true });
      await writeFile(join(own, 'tags', tag, 'current/link'), text);
    };
    await link('gone', digestOf('deleted'));
    await link('odd', 'no digest');
    await mkdir(join(data, 'docker/registry/v2/repositories/Upper/_manifests'), { recursive: true });
    await unlink(distributionData(data, of.other.config));
    const report = await imported(server.admin, data, 'disorder/');
    expect(report.code).toBe(3);
    const told = report.differences.map(({ what, lack }) => `${what} ${lack}`);
    for (const each of [
      'tag gone absent',
      'tag odd absent',
      'repository damaged',
      `blob ${of.other.config.digest} absent`,
      `manifest ${of.other.manifest.digest} absent`,
    ])
      expect(told).toContain(each);
    expect((await http(server.admin, 'HEAD /v2/disorder/shop/manifests/1')).status).toBe(200);
  });

  it('is told of bytes that are not what their digest says', async () => {
    const data = join(folder, 'rotten');
    await writeDistributionFolder(data, 'shop', of);
    await writeFile(distributionData(data, of.other.config), Buffer.alloc(of.other.config.size));
    const report = await imported(server.admin, data, 'rotten/');
    expect(report).toMatchObject({ code: 3 });
    expect(report.differences.map(({ lack }) => lack)).toContain('damaged');
  });
});

async function expectAll(repository: string): Promise<void> {
  for (const { digest, bytes, mediaType } of of.manifests) {
    const found = await http(server.admin, `GET /v2/${repository}/manifests/${digest}`, {
      headers: { accept: mediaType },
    });
    expect(found.status).toBe(200);
    expect(Buffer.from(await found.arrayBuffer()).equals(bytes)).toBe(true);
  }
  for (const { digest } of of.blobs)
    expect((await http(server.admin, `HEAD /v2/${repository}/blobs/${digest}`)).status).toBe(200);
  const referrers = await http(server.admin, `GET /v2/${repository}/referrers/${of.image.manifest.digest}`);
  expect(await referrers.json()).toMatchObject({ manifests: [{ digest: of.referrer.digest }] });
  expect(await tagsOf(repository)).toEqual(['1', 'multi']);
}

async function tagsOf(repository: string): Promise<unknown> {
  const listed = await http(server.admin, `GET /v2/${repository}/tags/list`);
  return JSON.parse(await listed.text()).tags;
}

async function quarantined(admin: Client, repository: string, layer: Content | undefined): Promise<void> {
  const plan = [
    'quarantine',
    'plan',
    '--repository',
    repository,
    '--layer',
    layer?.digest ?? '',
    '-o',
    'json',
  ];
  const { name } = JSON.parse((await lazaret(admin, ...plan)).text);
  await lazaret(admin, 'quarantine', 'apply', name, '--reason', 'DRILL');
}
