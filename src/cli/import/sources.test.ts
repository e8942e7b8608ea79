/** One contract for all kinds of sources: the same content, laid out as each has it, is read back the same. */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ImportContent,
  importContent,
  pushContent,
  tarOfFolder,
  writeDistributionFolder,
  writeDockerArchive,
  writeImportLayout,
} from '../../../test/support/import-content.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  type Image,
  writeLayout,
} from '../../../test/support/oci-layout.ts';
import { startTestServer, type TestServer } from '../../../test/support/server.ts';
import { systemClock } from '../../lib/clock.ts';
import { collect } from '../../lib/streams.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { CliIo } from '../io.ts';
import type { ImportSource, SourceRepository } from './import-source.ts';
import { openSource } from './open-source.ts';

let server: TestServer;
let folder: string;
let of: ImportContent;
/** All its layers are plain, as docker saves them. */
let saved: Image;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-sources-'));
  of = await importContent();
  const layer = (path: string) => buildLayer([{ path, content: path }], { compression: 'none' });
  saved = buildImage({ layers: [await layer('bin/sh'), await layer('app/main.js')] });
  await writeImportLayout(join(folder, 'layout'), of);
  await tarOfFolder(join(folder, 'layout'), join(folder, 'layout.tar'));
  for (const program of ['gzip', 'zstd']) execFileSync(program, ['-q', '-k', join(folder, 'layout.tar')]);
  await mkdir(join(folder, 'registry'), { recursive: true });
  await writeDistributionFolder(join(folder, 'registry'), 'team/shop', of);
  await writeDockerArchive(join(folder, 'saved.tar'), saved);
  await pushContent(server.admin, 'team/shop', of);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

interface Driver {
  readonly name: string;
  readonly open: () => Promise<ImportSource>;
  readonly repository: string | undefined;
  /** Without a tag, as it lists them. */
  readonly untagged: 'all' | 'roots' | 'none';
}

const stdin = () => createReadStream(join(folder, 'layout.tar.gz'));
const path = (name: string) => () => opened(join(folder, name));
const drivers: readonly Driver[] = [
  { name: 'an OCI layout', open: path('layout'), repository: undefined, untagged: 'roots' },
  { name: 'a tar of one', open: path('layout.tar'), repository: undefined, untagged: 'roots' },
  { name: 'a gzipped tar', open: path('layout.tar.gz'), repository: undefined, untagged: 'roots' },
  { name: 'a tar with zstd', open: path('layout.tar.zst'), repository: undefined, untagged: 'roots' },
  { name: 'a tar from a pipe', open: () => opened('-', stdin()), repository: undefined, untagged: 'roots' },
  { name: 'a data folder', open: path('registry'), repository: 'team/shop', untagged: 'all' },
  { name: 'a registry', open: () => opened(registryUrl()), repository: 'team/shop', untagged: 'none' },
];

describe.each(drivers)('$name', ({ open, repository, untagged }) => {
  let source: ImportSource;
  let shop: SourceRepository;
  beforeAll(async () => {
    source = await open();
    [shop = absent()] = await source.repositories();
  });
  afterAll(() => source.close());

  it('lists its repository, its tags, and what has none', async () => {
    expect((await source.repositories()).map(({ name }) => name)).toEqual([repository]);
    const listing = await shop.list();
    expect([...listing.tags].sort()).toEqual(['1', 'multi']);
    const expected = { all: [of.other.manifest, of.referrer], roots: [of.referrer], none: [] }[untagged];
    expect([...listing.untagged].sort()).toEqual(expected.map(({ digest }) => digest).sort());
    expect(listing.problems).toEqual([]);
  });

  it('gives manifests by tag and by digest, byte for byte', async () => {
    await shop.list();
    for (const [tag, { digest, bytes }] of Object.entries(of.tags)) {
      const manifest = await shop.manifest(tag);
      expect(manifest?.digest).toBe(digest);
      expect(Buffer.from(bytes).equals(manifest?.bytes ?? Buffer.alloc(0))).toBe(true);
    }
    for (const { digest } of of.manifests) expect((await shop.manifest(digest))?.digest).toBe(digest);
  });

  it('gives blobs, whole and from an offset on', async () => {
    for (const blob of of.blobs) await expectBlob(shop, blob);
  });

  it('says what refers to a manifest', async () => {
    expect((await shop.referrers(of.image.manifest.digest)).map(({ digest }) => digest)).toEqual([
      of.referrer.digest,
    ]);
    expect(await shop.referrers(of.other.manifest.digest)).toEqual([]);
  });

  it('does not have what it does not have', async () => {
    const unknown = digestOf('unknown');
    expect(await shop.manifest('none')).toBeUndefined();
    expect(await shop.manifest(unknown)).toBeUndefined();
    expect(await shop.blobSize(unknown)).toBeUndefined();
    await expect(read(shop, unknown, 0)).rejects.toMatchObject({ code: 'blobUnknown' });
  });
});

describe('a docker archive', () => {
  it('gives configuration and layers as they are, under a manifest that is the same each time', async () => {
    const [first, second] = [
      await opened(join(folder, 'saved.tar')),
      await opened(join(folder, 'saved.tar')),
    ];
    const [shop = absent(), team = absent()] = await first.repositories();
    expect([shop.name, team.name]).toEqual(['shop', 'team/shop']);
    expect([(await shop.list()).tags, (await team.list()).tags]).toEqual([['1'], ['2']]);
    const manifest = (await shop.manifest('1')) ?? absent();
    expect(manifest.digest).toBe(digestOf(manifest.bytes));
    const [again = absent()] = await second.repositories();
    expect((await again.manifest('1'))?.digest).toBe(manifest.digest);
    expect((await team.manifest('2'))?.digest).toBe(manifest.digest);
    const parsed = parseManifest(manifest.bytes);
    if (parsed.kind !== 'image') absent();
    else expect(parsed.layers.map(({ digest }) => digest)).toEqual(saved.layers.map(({ diffId }) => diffId));
    for (const blob of [saved.config, ...saved.layers]) await expectBlob(shop, blob);
    for (const source of [first, second]) await source.close();
  });
});

describe('what docker saves today', () => {
  it('is an OCI layout too: its digests are kept, its names are whole references', async () => {
    const at = join(folder, 'today');
    await writeLayout(at, saved);
    const named = {
      'io.containerd.image.name': 'docker.io/team/shop:7',
      'org.opencontainers.image.ref.name': '7',
    };
    const { digest, mediaType, size } = saved.manifest;
    const index = { schemaVersion: 2, manifests: [{ digest, mediaType, size, annotations: named }] };
    await writeFile(join(at, 'index.json'), JSON.stringify(index));
    await writeFile(join(at, 'manifest.json'), '[]');
    await tarOfFolder(at, `${at}.tar`);
    const source = await opened(`docker-archive:${at}.tar`);
    const [shop = absent()] = await source.repositories();
    expect([shop.name, (await shop.list()).tags]).toEqual(['team/shop', ['7']]);
    expect((await shop.manifest('7'))?.digest).toBe(digest);
    await source.close();
  });
});

describe('what is no source', () => {
  it.each([
    ['/nowhere/at/all', /there is no \/nowhere\/at\/all/],
    ['https://old.example/shop', /write docker:\/\/old.example\/shop/],
  ])('%s is told', async (text, message) => {
    await expect(opened(text)).rejects.toThrow(message);
  });
});

async function expectBlob(shop: SourceRepository, blob: Content): Promise<void> {
  expect(await shop.blobSize(blob.digest)).toBe(blob.size);
  for (const offset of [0, 1, blob.size - 1]) {
    const bytes = await read(shop, blob.digest, offset);
    expect(bytes.equals(blob.bytes.subarray(offset))).toBe(true);
  }
}

async function read(shop: SourceRepository, digest: Content['digest'], offset: number): Promise<Buffer> {
  return collect(await shop.blob(digest, offset), 1 << 20);
}

function registryUrl(): string {
  return `docker://${new URL(server.url).host}/team/shop`;
}

async function opened(text: string, from: Readable = Readable.from([])): Promise<ImportSource> {
  const { credentials } = server.admin;
  const creds = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : undefined;
  const io: CliIo = {
    env: {},
    homeFolder: folder,
    stdin: from,
    terminal: false,
    signal: new AbortController().signal,
    out: () => {},
    note: () => {},
    exit: () => {},
  };
  return (await openSource(text, { io, clock: systemClock, access: { creds } })).source;
}

function absent(): never {
  throw new Error('the source has too little');
}
