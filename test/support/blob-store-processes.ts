import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { collect } from '../../src/lib/streams.ts';
import { inChunks, newKey, type StorePlace } from './blob-store-contract.ts';

/** Of a store that several processes open at once; each `open` stands for one of them. */
export function severalProcessesContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`${name}, opened by several processes:`, () => {
    let place: StorePlace;
    let store: BlobStore;
    const contentOf = async (key: string) => String(await collect((await store.read(key)).stream, 100));
    beforeEach(async () => {
      place = await makePlace();
      store = await place.open('home');
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    test('what a writer of another process that has stalled writes later is in no blob', async () => {
      const key = newKey();
      await store.append(key, 0, chunk('begun, '));
      const gate = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      async function* source() {
        started.resolve();
        await gate.promise;
        yield Buffer.from('too late');
      }
      const stalled = store.append(key, 7, source());
      await started.promise;
      const other = await place.open('home');
      expect(await other.length(key)).toBe(7);
      expect(await other.append(key, 7, chunk('and ended'))).toBe(16);
      await other.commit(key);
      gate.resolve();
      await stalled.catch(() => undefined); // some stores find out
      expect(await contentOf(key)).toBe('begun, and ended');
      expect(await store.length(key)).toBe(16);
      await other.close();
    });

    test.each([
      ['look for it', false],
      ['believe it to be fresh', true],
    ])('of two that begin a key at once and %s one keeps what it wrote', async (_how, fresh) => {
      const key = newKey();
      const gate = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      async function* source() {
        yield Buffer.from('slow');
        started.resolve();
        await gate.promise;
      }
      const slow = store.append(key, 0, source(), { fresh });
      await started.promise;
      const other = await place.open('home');
      expect(await other.append(key, 0, chunk('fast!'), { fresh })).toBe(5);
      gate.resolve();
      await slow.catch(() => undefined);
      const length = await store.length(key);
      await other.commit(key);
      expect(await contentOf(key)).toBe(length === 5 ? 'fast!' : 'slow');
      await other.close();
    });
  });
}

function chunk(content: string): AsyncIterable<Uint8Array> {
  return inChunks(Buffer.from(content), 65_536);
}
