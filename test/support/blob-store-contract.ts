import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlobKey, BlobStore, ByteRange } from '../../src/blobs/blob-store.ts';
import { type ErrorCode, hasCode } from '../../src/lib/errors.ts';
import { collect } from '../../src/lib/streams.ts';

/** One place that stores can be opened in, again and again. */
export interface StorePlace {
  open(region: string): Promise<BlobStore>;
  remove(): Promise<void>;
}

const testBytesMax = 64 * 1024 * 1024;
let store: BlobStore;
let place: StorePlace;

/** What every driver promises: `src/blobs/blob-store.ts` as tests. */
export function blobStoreContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`${name} keeps the contract of a blob store:`, () => {
    beforeEach(async () => {
      place = await makePlace();
      store = await place.open('home');
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });
    describe('append', appendContract);
    describe('commit', commitContract);
    describe('read', readContract);
    describe('delete and list', deleteAndListContract);
    describe('notes', notesContract);
    describe('open', openContract);
  });
}

function appendContract(): void {
  test('gives back what was appended and committed', async () => {
    const key = newKey();
    const content = randomBytes(3_000_001);
    expect(await store.append(key, 0, inChunks(content, 65_536))).toBe(content.byteLength);
    await store.commit(key);
    const { sizeBytes, stream } = await store.read(key);
    expect(sizeBytes).toBe(content.byteLength);
    expect((await collect(stream, testBytesMax)).equals(content)).toBe(true);
  });

  test('goes on at the present length, also with many small and empty chunks', async () => {
    const key = newKey();
    const content = randomBytes(5_000);
    expect(await store.append(key, 0, inChunks(content.subarray(0, 1_500), 1), { fresh: true })).toBe(1_500);
    expect(await store.append(key, 1_500, inChunks(Buffer.alloc(0), 1))).toBe(1_500);
    expect(await store.append(key, 1_500, inChunks(content.subarray(1_500), 7))).toBe(5_000);
    await store.commit(key);
    expect((await readAll(key)).equals(content)).toBe(true);
  });

  test.each([0, 2, 4, 100])(
    'refuses offset %i when the length is 3, and keeps the 3 bytes',
    async (offset) => {
      const key = newKey();
      await store.append(key, 0, text('abc'));
      await expectCode(store.append(key, offset, text('x')), 'uploadRange');
      expect(await store.length(key)).toBe(3);
    },
  );

  test('refuses to start a key at an offset, and leaves nothing', async () => {
    const key = newKey();
    await expectCode(store.append(key, 5, text('x')), 'uploadRange');
    await expectCode(store.commit(key), 'storeMissing');
  });

  test('keeps the bytes before the source failed, throws its error, and can be resumed', async () => {
    const key = newKey();
    const content = randomBytes(2_500_000);
    const failure = Object.assign(new Error('connection reset'), { code: 'ECONNRESET', syscall: 'read' });
    const broken = failingAfter(inChunks(content, 65_536), 1_400_000, failure);
    await expect(store.append(key, 0, broken)).rejects.toBe(failure);
    const kept = await store.length(key);
    expect(kept).toBe(21 * 65_536);
    await store.append(key, kept, inChunks(content.subarray(kept), 65_536));
    await store.commit(key);
    expect((await readAll(key)).equals(content)).toBe(true);
  });

  test('ends with the reason when the signal aborts while the source is silent, and keeps the prefix', async () => {
    const key = newKey();
    const stop = new AbortController();
    async function* source() {
      yield Buffer.from('abc');
      setImmediate(() => stop.abort(new Error('client left')));
      await new Promise(() => {});
    }
    await expect(store.append(key, 0, source(), { signal: stop.signal })).rejects.toThrow('client left');
    expect(await store.length(key)).toBe(3);
  });

  test('refuses a second writer of a key while the first goes on', async () => {
    const key = newKey();
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    async function* source() {
      yield Buffer.from('abc');
      started.resolve();
      await gate.promise;
      yield Buffer.from('def');
    }
    const first = store.append(key, 0, source());
    await started.promise;
    await expectCode(store.append(key, 0, text('x')), 'conflict');
    await expectCode(store.commit(key), 'conflict');
    gate.resolve();
    expect(await first).toBe(6);
    await store.commit(key);
    expect(String(await readAll(key))).toBe('abcdef');
  });

  test('refuses more bytes for a committed key', async () => {
    const key = await committed('abc');
    await expectCode(store.append(key, 3, text('x')), 'conflict');
    await expectCode(store.append(key, 0, text('x')), 'conflict');
    expect(String(await readAll(key))).toBe('abc');
  });

  test('writes many keys at once without mixing them', async () => {
    const contents = Array.from({ length: 20 }, () => randomBytes(300_000));
    const keys = await Promise.all(
      contents.map(async (content) => {
        const key = newKey();
        await store.append(key, 0, inChunks(content, 10_000));
        await store.commit(key);
        return key;
      }),
    );
    for (const [at, key] of keys.entries())
      expect((await readAll(key)).equals(contents[at] ?? Buffer.of())).toBe(true);
  });

  test('asserts that a key is 32 hex characters', async () => {
    await expect(store.append('../../etc/passwd', 0, text('x'))).rejects.toThrow('not a blob key');
    await expect(store.read('A'.repeat(32))).rejects.toThrow('not a blob key');
    await expect(store.delete(['ab'])).rejects.toThrow('not a blob key');
  });
}

function commitContract(): void {
  test('nothing is readable before it', async () => {
    const key = newKey();
    await store.append(key, 0, text('abc'));
    await expectCode(store.read(key), 'storeMissing');
  });

  test('is idempotent', async () => {
    const key = await committed('abc');
    await store.commit(key);
    expect(String(await readAll(key))).toBe('abc');
  });

  test('fails with storeMissing when nothing was written, or it was deleted', async () => {
    const key = newKey();
    await expectCode(store.commit(key), 'storeMissing');
    await store.append(key, 0, text('abc'));
    await store.delete([key]);
    await expectCode(store.commit(key), 'storeMissing');
  });

  test('keeps a blob of no bytes', async () => {
    const key = await committed('');
    const { sizeBytes, stream } = await store.read(key);
    expect(sizeBytes).toBe(0);
    expect((await collect(stream, 1)).byteLength).toBe(0);
    await expectCode(store.read(key, { start: 0, end: 0 }), 'rangeInvalid');
  });

  test('length is 0 for nothing, and the size once committed', async () => {
    expect(await store.length(newKey())).toBe(0);
    expect(await store.length(await committed('abcd'))).toBe(4);
  });
}

function readContract(): void {
  const ranges: [ByteRange, string][] = [
    [{ start: 0, end: 0 }, 'a'],
    [{ start: 0, end: 9 }, 'abcdefghij'],
    [{ start: 3, end: 5 }, 'def'],
    [{ start: 9, end: 9 }, 'j'],
    [{ start: 8, end: 1_000 }, 'ij'],
  ];
  test.each(ranges)('gives the part %j', async (range, expected) => {
    const key = newKey();
    await store.append(key, 0, inChunks(Buffer.from('abcdefghij'), 4));
    await store.commit(key);
    const { sizeBytes, stream } = await store.read(key, range);
    expect(sizeBytes).toBe(10);
    expect(String(await collect(stream, 100))).toBe(expected);
  });

  test('gives a part across many chunks', async () => {
    const content = randomBytes(3_000_000);
    const key = newKey();
    await store.append(key, 0, inChunks(content, 100_000));
    await store.commit(key);
    const { stream } = await store.read(key, { start: 500_001, end: 2_700_000 });
    expect((await collect(stream, testBytesMax)).equals(content.subarray(500_001, 2_700_001))).toBe(true);
  });

  test.each([
    { start: 3, end: 3 },
    { start: 2, end: 1 },
    { start: -1, end: 1 },
  ])('refuses the part %j of 3 bytes with rangeInvalid', async (range) => {
    await expectCode(store.read(await committed('abc'), range), 'rangeInvalid');
  });

  test('fails with storeMissing at once, not in the stream', async () => {
    await expectCode(store.read(newKey()), 'storeMissing');
  });

  test('goes on to the end when the key is deleted meanwhile', async () => {
    const content = randomBytes(3_000_000);
    const key = newKey();
    await store.append(key, 0, inChunks(content, 100_000));
    await store.commit(key);
    const opened = await store.read(key);
    await store.delete([key]);
    expect((await collect(opened.stream, testBytesMax)).equals(content)).toBe(true);
    await expectCode(store.read(key), 'storeMissing');
  });

  test('ends with the reason when the signal aborts', async () => {
    const stop = new AbortController();
    const { stream } = await store.read(await committed('abc'), undefined, stop.signal);
    stop.abort(new Error('client left'));
    await expect(collect(stream, 10)).rejects.toThrow('client left');
    await expect(store.read(await committed('abc'), undefined, stop.signal)).rejects.toThrow('client left');
  });
}

function deleteAndListContract(): void {
  test('removes what is committed and what is being written, and nothing else', async () => {
    const [gone, kept] = [await committed('a'), await committed('b')];
    const half = newKey();
    await store.append(half, 0, text('c'));
    await store.delete([gone, half, newKey()]);
    await expectCode(store.read(gone), 'storeMissing');
    expect(await store.length(half)).toBe(0);
    expect(String(await readAll(kept))).toBe('b');
  });

  test('deleting again, or nothing, is no error', async () => {
    const key = await committed('a');
    await store.delete([key]);
    await store.delete([key]);
    await store.delete([]);
    expect(await listed()).toEqual([]);
  });

  test('wins over an append that goes on', async () => {
    const key = newKey();
    async function* source() {
      yield Buffer.from('abc');
      await store.delete([key]);
      yield Buffer.from('def');
    }
    await store.append(key, 0, source());
    await expectCode(store.commit(key), 'storeMissing');
    expect(await listed()).toEqual([]);
  });

  test('lists every key with its size and whether it is committed', async () => {
    const half = newKey();
    await store.append(half, 0, text('ab'));
    const expected = [{ key: half, sizeBytes: 2, committed: false }];
    for (let count = 0; count < 40; count += 1)
      expected.push({ key: await committed('abc'), sizeBytes: 3, committed: true });
    expect(await listed()).toEqual(expected.sort(byKey));
  });

  test('stops listing when the signal aborts', async () => {
    await committed('a');
    await expect(all(store.list(AbortSignal.abort(new Error('enough'))))).rejects.toThrow('enough');
  });
}

function notesContract(): void {
  test('a note is what was put last', async () => {
    expect(await store.notes.get('quarantine/m-1.json')).toBeUndefined();
    await store.notes.put('quarantine/m-1.json', 'one');
    await store.notes.put('quarantine/m-1.json', 'zwei ✓');
    expect(await store.notes.get('quarantine/m-1.json')).toBe('zwei ✓');
  });

  test('names are given by prefix, sorted, and one may begin like another', async () => {
    for (const name of ['b/2', 'a/10', 'a', 'a/1', 'a/1/x', 'ab']) await store.notes.put(name, name);
    expect(await store.notes.names('')).toEqual(['a', 'a/1', 'a/1/x', 'a/10', 'ab', 'b/2']);
    expect(await store.notes.names('a/')).toEqual(['a/1', 'a/1/x', 'a/10']);
    expect(await store.notes.get('a/1')).toBe('a/1');
  });

  test('notes are no blobs', async () => {
    await store.notes.put('a', 'text');
    expect(await listed()).toEqual([]);
  });

  test.each(['', 'A/x', 'a//b', '../x', 'a/', 'a/b c', `a/${'x'.repeat(200)}`])(
    'asserts the name %j',
    async (name) => {
      await expect(store.notes.put(name, 'x')).rejects.toThrow('not a note name');
      await expect(store.notes.get(name)).rejects.toThrow('not a note name');
    },
  );

  test('of two puts at once one is kept whole', async () => {
    const texts = ['a'.repeat(100_000), 'b'.repeat(100_000)];
    await Promise.all(texts.map((each) => store.notes.put('n', each)));
    expect(texts).toContain(await store.notes.get('n'));
    expect(await store.notes.names('')).toEqual(['n']);
  });
}

function openContract(): void {
  test('finds everything again when opened again', async () => {
    const key = await committed('abc');
    const half = newKey();
    await store.append(half, 0, text('de'));
    await store.notes.put('a/b', 'note');
    await store.close();
    store = await place.open('home');
    expect(String(await readAll(key))).toBe('abc');
    expect(await store.append(half, 2, text('f'))).toBe(3);
    await store.commit(half);
    expect(String(await readAll(half))).toBe('def');
    expect(await store.notes.get('a/b')).toBe('note');
  });

  test('refuses the store of another region and names both', async () => {
    const opening = place.open('away');
    await expectCode(opening, 'conflict');
    await expect(opening).rejects.toThrow(/home.*away/);
  });
}

export function newKey(): BlobKey {
  return randomBytes(16).toString('hex');
}

export async function* inChunks(content: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  if (content.byteLength === 0) yield content;
  for (let at = 0; at < content.byteLength; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await promise.then(
    () => new Error('it went well'),
    (thrown: unknown) => thrown,
  );
  if (!hasCode(error, code)) throw new Error(`expected ${code}`, { cause: error });
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

function text(content: string): AsyncIterable<Uint8Array> {
  return inChunks(Buffer.from(content), 65_536);
}

/** Passes on the chunks that end within `bytesMax`, then fails. */
async function* failingAfter(source: AsyncIterable<Uint8Array>, bytesMax: number, error: Error) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes <= bytesMax) yield chunk;
  }
  throw error;
}

/** A fresh key with `content` committed under it. */
async function committed(content: string): Promise<BlobKey> {
  const key = newKey();
  await store.append(key, 0, content === '' ? nothing() : text(content));
  await store.commit(key);
  return key;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function readAll(key: BlobKey): Promise<Buffer> {
  return collect((await store.read(key)).stream, testBytesMax);
}

async function listed() {
  return (await all(store.list())).map(({ changedAt: _, ...stored }) => stored).sort(byKey);
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : 1;
}
