import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  all,
  blobStoreContract,
  expectCode,
  inChunks,
  newKey,
} from '../../test/support/blob-store-contract.ts';
import { severalProcessesContract } from '../../test/support/blob-store-processes.ts';
import { collect } from '../lib/streams.ts';
import type { BlobStore } from './blob-store.ts';
import { openFilesystemStore } from './filesystem.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'lazaret-blobs-'));

async function place() {
  const folder = await newFolder();
  return {
    open: (region: string) => openFilesystemStore({ folder: join(folder, 'made', 'by', 'open'), region }),
    remove: () => rm(folder, { recursive: true }),
  };
}

blobStoreContract('the filesystem store', place);
severalProcessesContract('the filesystem store', place);

describe('the filesystem store', () => {
  let folder: string;
  let store: BlobStore;
  const open = () => openFilesystemStore({ folder, region: 'home' });
  const write = (key: string, content: Uint8Array) => store.append(key, 0, inChunks(content, 65_536));

  beforeEach(async () => {
    folder = await newFolder();
    store = await open();
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function openDescriptors(): Promise<number> {
    const names = await readdir('/proc/self/fd');
    const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
    return targets.filter((target) => target.startsWith(folder)).length;
  }

  async function committed(content: Uint8Array): Promise<string> {
    const key = newKey();
    await write(key, content);
    await store.commit(key);
    return key;
  }

  test('pumps the same bytes as it streams, also a part of them, to a reader that keeps no chunk', async () => {
    const content = randomBytes(1_700_000);
    const key = await committed(content);
    for (const range of [undefined, { start: 0, end: 0 }, { start: 600_000, end: 1_600_000 }]) {
      const read = await store.read(key, range);
      const copies: Buffer[] = [];
      await read.pump?.(async (chunk) => {
        copies.push(Buffer.from(chunk));
        await new Promise((resolve) => setImmediate(resolve)); // meanwhile the next one is read
      });
      const expected = range ? content.subarray(range.start, range.end + 1) : content;
      expect(Buffer.concat(copies).equals(expected)).toBe(true);
    }
    expect(await openDescriptors()).toBe(0);
  });

  test('lets go of a blob whose pumping failed or was aborted', async () => {
    const key = await committed(randomBytes(1_700_000));
    const failing = (await store.read(key)).pump?.(async () => {
      throw new Error('the reader has gone');
    });
    await expect(failing).rejects.toThrow('the reader has gone');
    const stop = new AbortController();
    const aborted = (await store.read(key, undefined, stop.signal)).pump?.(async () => stop.abort());
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(await openDescriptors()).toBe(0);
  });

  const waysToStop: Record<
    string,
    (stream: AsyncIterable<Uint8Array>, stop: AbortController) => Promise<unknown>
  > = {
    'its reader breaks off': async (stream) => {
      for await (const _ of stream) break;
    },
    'its reader never begins': async (stream) => stream[Symbol.asyncIterator]().return?.(),
    'a Readable around it is destroyed': async (stream) => {
      const readable = Readable.from(stream);
      const closed = new Promise((resolve) => readable.once('close', resolve));
      readable.destroy();
      await closed;
    },
    'the signal aborts': async (stream, stop) => {
      stop.abort();
      await stream[Symbol.asyncIterator]().return?.();
    },
    'it is read to its end': (stream) => collect(stream, 10_000_000),
  };
  test.runIf(process.platform === 'linux').each(Object.keys(waysToStop))(
    'a stream closes its file descriptor when %s',
    async (way) => {
      const stop = new AbortController();
      const { stream } = await store.read(await committed(randomBytes(2_000_000)), undefined, stop.signal);
      expect(await openDescriptors()).toBe(1);
      await waysToStop[way]?.(stream, stop);
      expect(await openDescriptors()).toBe(0);
    },
  );

  test.runIf(process.platform === 'linux')(
    'a refused range or append leaves no file descriptor',
    async () => {
      const key = await committed(randomBytes(10));
      await expectCode(store.read(key, { start: 10, end: 20 }), 'rangeInvalid');
      const half = newKey();
      await write(half, randomBytes(10));
      await expectCode(store.append(half, 3, inChunks(randomBytes(1), 1)), 'uploadRange');
      expect(await openDescriptors()).toBe(0);
    },
  );

  test('a commit that crashed after the rename is finished by the next one', async () => {
    const key = newKey();
    await write(key, Buffer.from('abc'));
    await mkdir(join(folder, 'blobs', key.slice(0, 7)));
    await rename(join(folder, 'uploads', key), join(folder, 'blobs', key.slice(0, 7), key));
    store = await open();
    await store.commit(key);
    expect(String(await collect((await store.read(key)).stream, 10))).toBe('abc');
  });

  test('an upload goes on after the process that wrote it was killed', async () => {
    const key = newKey();
    await write(key, Buffer.from('abc'));
    await rename(join(folder, 'uploads', key), join(folder, 'writing', `${key}.killed`));
    expect(await all(store.list())).toContainEqual(expect.objectContaining({ key, committed: false }));
    store = await open();
    expect(await store.length(key)).toBe(3);
    expect(await store.append(key, 3, inChunks(Buffer.from('def'), 9))).toBe(6);
    await store.commit(key);
    expect(String(await collect((await store.read(key)).stream, 10))).toBe('abcdef');
    expect(await readdir(join(folder, 'writing'))).toEqual([]);
  });

  test('a store whose folder went away is unavailable, never empty', async () => {
    const key = await committed(Buffer.from('abc'));
    await store.notes.put('a', 'note');
    await rename(folder, `${folder}-gone`);
    try {
      // An empty mount point in its place.
      await mkdir(folder);
      await expectCode(store.read(key), 'unavailable');
      await expectCode(store.length(key), 'unavailable');
      await expectCode(write(newKey(), Buffer.from('x')), 'unavailable');
      await expectCode(store.commit(newKey()), 'unavailable');
      await expectCode(store.delete([key]), 'unavailable');
      await expectCode(all(store.list()), 'unavailable');
      await expectCode(store.notes.get('a'), 'unavailable');
      await expectCode(store.notes.names(''), 'unavailable');
      await expectCode(store.notes.put('a', 'x'), 'unavailable');
    } finally {
      await rm(folder, { recursive: true });
      await rename(`${folder}-gone`, folder);
    }
    expect(String(await collect((await store.read(key)).stream, 10))).toBe('abc');
  });

  test('a blob that was cut short on the disk fails instead of ending early', async () => {
    const key = await committed(randomBytes(2_000_000));
    const { stream } = await store.read(key);
    await writeFile(join(folder, 'blobs', key.slice(0, 7), key), 'short');
    await expectCode(collect(stream, 10_000_000), 'unavailable');
  });

  test('of two regions that open a fresh folder at once one gets it', async () => {
    const fresh = join(folder, 'fresh');
    const opened = await Promise.allSettled(
      ['home', 'away'].map((region) => openFilesystemStore({ folder: fresh, region })),
    );
    expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = opened[0]?.status === 'fulfilled' ? 'home' : 'away';
    expect(JSON.parse(await readFile(join(fresh, 'region.json'), 'utf8'))).toEqual({ region: winner });
    expect((await readdir(fresh)).sort()).toEqual(['blobs', 'notes', 'region.json', 'uploads', 'writing']);
  });

  test('a damaged owner file is refused with unavailable', async () => {
    await writeFile(join(folder, 'region.json'), '{');
    await expectCode(open(), 'unavailable');
    await writeFile(join(folder, 'region.json'), '{"region":7}');
    await expectCode(open(), 'unavailable');
  });

  test('opening where no folder can be made is unavailable', async () => {
    await expectCode(
      openFilesystemStore({ folder: join(folder, 'region.json', 'x'), region: 'home' }),
      'unavailable',
    );
  });

  test('the store is found again after a restore that lost its empty folders', async () => {
    await rm(join(folder, 'uploads'), { recursive: true });
    await rm(join(folder, 'blobs'), { recursive: true });
    store = await open();
    expect(await store.length(await committed(Buffer.from('abc')))).toBe(3);
  });
});
