import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inChunks, tarOf } from '../../../test/support/layers.ts';
import { jarOf, zipOf } from '../../../test/support/zip.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { openFilesystemStore } from '../../blobs/filesystem.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { collectInventory } from '../../layers/inventory-collect.ts';
import { ManualClock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';
import { digestOf } from '../../oci/digest.ts';
import { createInProcessInspector, type Inspector } from './inspector.ts';
import { createInspectPool } from './pool.ts';

const region = 'home';
const misbehaving = new URL('../../../test/fixtures/inspect/misbehaving-worker.ts', import.meta.url);

let folder = '';
let store: BlobStore;
let inspector: Inspector | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-inspect-'));
  store = await openFilesystemStore({ folder, region });
});

afterEach(async () => {
  await inspector?.close();
  inspector = undefined;
  await store.close();
  await rm(folder, { recursive: true });
});

let keys = 0;

async function put(bytes: Uint8Array): Promise<string> {
  keys += 1;
  const key = String(keys).padStart(32, '0');
  await store.append(key, 0, inChunks(bytes));
  await store.commit(key);
  return key;
}

function pool(
  options: { size?: number; clock?: ManualClock; worker?: URL; foreground?: Foreground } = {},
): Inspector {
  const { size = 1, clock = new ManualClock(), worker, foreground } = options;
  inspector = createInspectPool({
    size,
    clock,
    region,
    blobStore: { kind: 'filesystem', folder },
    ...(worker === undefined ? {} : { worker }),
    ...(foreground === undefined ? {} : { foreground }),
  });
  return inspector;
}

function inProcess(): Inspector {
  inspector = createInProcessInspector({ store, extractors, clock: new ManualClock() });
  return inspector;
}

const manyFiles = () =>
  tarOf(Array.from({ length: 9_000 }, (_, n) => ({ name: `files/${n}`, text: `${n}` })));

test.skipIf(!existsSync('/proc/self/fd'))(
  'a blob is closed although it is not read, being no file system by its type',
  async () => {
    const key = await put(Buffer.from('{}'));
    await collectInventory(inProcess().inspect(key, { mediaType: 'application/vnd.in-toto+json' }));
    const open = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    expect(open.filter((path) => path.startsWith(folder))).toEqual([]);
  },
);

describe.each([
  ['worker threads', pool],
  ['this thread', inProcess],
])('an inspector in %s', (_name, create) => {
  test('gives the inventory of a layer', async () => {
    const layer = await tarOf([
      { name: 'etc/os-release', text: 'ID=debian\n' },
      { name: 'node_modules/a/package.json', text: '{"name":"a","version":"1.0.0"}' },
      { name: 'folder/', type: 'directory', mode: 0o1777 },
      { name: 'folder/.wh..wh..opq', text: '' },
      { name: 'large', bytes: Buffer.alloc(500_000, 'x') },
    ]);
    const found = await collectInventory(create().inspect(await put(gzipSync(layer))));
    expect(found).toMatchObject({ state: 'done', diffId: digestOf(layer), os: { id: 'debian' }, entries: 5 });
    expect(found.packages.map(({ purl }) => purl)).toEqual(['pkg:npm/a@1.0.0']);
    expect(found.files.map(({ path, kind, mode, sizeBytes }) => [path, kind, mode, sizeBytes])).toEqual([
      ['etc/os-release', 'file', 0o644, 10],
      ['node_modules/a/package.json', 'file', 0o644, 30],
      ['folder', 'opaque', 0o1777, 0],
      ['large', 'file', 0o644, 500_000],
    ]);
    const hashes = found.files.map(({ sha256 }) => sha256 && `sha256:${Buffer.from(sha256).toString('hex')}`);
    expect([hashes[0], hashes[2], hashes[3]]).toEqual([
      digestOf('ID=debian\n'),
      undefined,
      digestOf(Buffer.alloc(500_000, 'x')),
    ]);
  });

  test('gives what is in archives, each content once', async () => {
    const jar = jarOf(['g:a:1']);
    const layer = await tarOf([
      { name: 'a.jar', bytes: jar },
      { name: 'again.jar', bytes: jar },
      { name: 'b.war', bytes: zipOf([{ name: 'lib/a.jar', bytes: jar }]) },
    ]);
    const { archives, packages } = await collectInventory(create().inspect(await put(layer)));
    expect(packages.map(({ path }) => path)).toEqual(['a.jar', 'again.jar', 'b.war!/lib/a.jar']);
    expect(archives.map(({ paths, nested }) => [paths, nested.map(({ path }) => path)])).toEqual([
      [['META-INF/MANIFEST.MF', 'META-INF/maven/g/a/pom.properties'], []],
      [['lib/a.jar'], ['lib/a.jar']],
    ]);
    expect(archives[1]?.sizes).toEqual(Float64Array.of(jar.length));
    expect(`sha256:${Buffer.from(archives[1]?.hashes ?? []).toString('hex')}`).toBe(digestOf(jar));
  });

  test('gives a layer of many parts whole, one layer after the other', async () => {
    const key = await put(await manyFiles());
    const created = create();
    for (let round = 0; round < 2; round += 1) {
      const found = await collectInventory(created.inspect(key));
      expect(found).toMatchObject({ state: 'done', entries: 9_000 });
      expect(found.files).toHaveLength(9_000);
    }
  });

  test('gives unknown for what is no layer, not applicable for what is no file system', async () => {
    const key = await put(Buffer.from('{}'.repeat(600)));
    const created = create();
    expect(await collectInventory(created.inspect(key))).toMatchObject({ state: 'unknown' });
    const mediaType = 'application/vnd.in-toto+json';
    expect(await collectInventory(created.inspect(key, { mediaType }))).toMatchObject({
      state: 'notApplicable',
    });
  });

  test('fails with storeMissing for a key that is not there, and goes on', async () => {
    const created = create();
    const missing = collectInventory(created.inspect('f'.repeat(32)));
    await expect(missing).rejects.toMatchObject({ code: 'storeMissing' });
    expect(await collectInventory(created.inspect(await put(Buffer.alloc(0))))).toMatchObject({
      state: 'done',
    });
  });

  test('can be left early, or aborted, and goes on', async () => {
    const key = await put(await manyFiles());
    const created = create();
    for await (const part of created.inspect(key)) {
      expect(part.kind).toBe('files');
      break;
    }
    const controller = new AbortController();
    const aborted = (async () => {
      for await (const part of created.inspect(key, { signal: controller.signal }))
        if (part.kind === 'files') controller.abort(new Error('enough'));
    })();
    await expect(aborted).rejects.toThrow('enough');
    await expect(collectInventory(created.inspect(key, { signal: controller.signal }))).rejects.toThrow(
      'enough',
    );
    expect(await collectInventory(created.inspect(key))).toMatchObject({ state: 'done' });
  });

  test('fails with unavailable once it is closed', async () => {
    const key = await put(await manyFiles());
    const created = create();
    const parts = created.inspect(key)[Symbol.asyncIterator]();
    await parts.next();
    await created.close();
    const rest = async () => {
      while (!(await parts.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(collectInventory(created.inspect(key))).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('the pool', () => {
  test('takes more jobs than it has threads, one after the other', async () => {
    const key = await put(await tarOf([{ name: 'a', text: 'x' }]));
    const created = pool({ size: 2 });
    const found = await Promise.all(Array.from({ length: 7 }, () => collectInventory(created.inspect(key))));
    expect(found.map(({ state, entries }) => `${state} ${entries}`)).toEqual(Array(7).fill('done 1'));
  });

  test.each(['exit', 'throw'])(
    'fails the job of a worker that crashes (%s), and starts another',
    async (how) => {
      const created = pool({ worker: misbehaving });
      for (let round = 0; round < 2; round += 1) {
        const crashed = collectInventory(created.inspect(how));
        await expect(crashed).rejects.toMatchObject({ code: 'internal' });
        await expect(crashed).rejects.toBeInstanceOf(LazaretError);
      }
      expect(await collectInventory(created.inspect('fine'))).toMatchObject({ state: 'done' });
    },
  );

  test('ends a worker that loops and calls its layer unknown', async () => {
    const clock = new ManualClock();
    const created = pool({ clock, worker: misbehaving });
    const looping = collectInventory(created.inspect('loop'));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(limits.layerInspectMs + limits.layerStuckMs + 1);
    expect(await looping).toMatchObject({ state: 'unknown', reason: expect.stringMatching(/^time over/) });
    expect(await collectInventory(created.inspect('fine'))).toMatchObject({ state: 'done' });
  });

  test('ends an idle worker after a while and starts one again when needed', async () => {
    const clock = new ManualClock();
    const created = pool({ clock, worker: misbehaving });
    await collectInventory(created.inspect('fine'));
    clock.advance(limits.inspectIdleMs + 1);
    expect(await collectInventory(created.inspect('fine'))).toMatchObject({ state: 'done' });
  });

  test('tells a worker in the midst of a layer that somebody pushes or pulls', async () => {
    const clock = new ManualClock();
    const foreground = new Foreground(clock);
    foreground.begin();
    const created = pool({ clock, worker: misbehaving, foreground });
    expect(await collectInventory(created.inspect('until busy'))).toMatchObject({ state: 'done' });
  });
});

test.skipIf(process.platform !== 'linux')(
  'a worker thread, and no other, runs at a lower priority than what somebody waits for (skipped elsewhere than on Linux)',
  async () => {
    const before = new Set(await threads());
    const key = await put(await tarOf([{ name: 'a', text: '1' }]));
    await collectInventory(pool().inspect(key));
    const started = (await threads()).filter((thread) => !before.has(thread));
    const priorities = started.map(getPriorityOf);
    expect(priorities.filter((one) => one === constants.priority.PRIORITY_BELOW_NORMAL)).toHaveLength(1);
    expect(getPriority()).toBe(0);
  },
);

function threads(): Promise<string[]> {
  return readdir('/proc/self/task');
}

/** Of a thread, which Linux takes for a process here; one that has ended meanwhile has none. */
function getPriorityOf(thread: string): number | undefined {
  try {
    return getPriority(Number(thread));
  } catch {
    return undefined;
  }
}
