import { expect, test } from 'vitest';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { collect } from '../../src/lib/streams.ts';
import { expectCode, inChunks, newKey } from './blob-store-contract.ts';
import { FaultyStore } from './faulty-store.ts';

const text = (content: string) => inChunks(Buffer.from(content), 4);

test('a faulty store fails the second append after the bytes that were asked for, and then goes on', async () => {
  const store = new FaultyStore(await openMemoryStore({ region: 'home' }));
  const key = newKey();
  store.fail('append', { after: 1, afterBytes: 5 });
  await store.append(key, 0, text('ab'));
  await expectCode(store.append(key, 2, text('cdefghij')), 'unavailable');
  expect(await store.length(key)).toBe(7);
  await store.append(key, 7, text('hij'));
  await store.commit(key);
  expect(String(await collect((await store.read(key)).stream, 100))).toBe('abcdefghij');
});

test('a faulty store fails a read in the middle of its stream', async () => {
  const store = new FaultyStore(await openMemoryStore({ region: 'home' }));
  const key = newKey();
  await store.append(key, 0, text('abcdefghij'));
  await store.commit(key);
  store.fail('read', { afterBytes: 6 });
  await expectCode(collect((await store.read(key)).stream, 100), 'unavailable');
});

test('a faulty store fails every operation it was told to until it is healed', async () => {
  const store = new FaultyStore(await openMemoryStore({ region: 'home' }));
  const key = newKey();
  await store.append(key, 0, text('a'));
  for (const operation of ['commit', 'read', 'delete', 'note'] as const)
    store.fail(operation, { times: Number.POSITIVE_INFINITY });
  for (let time = 0; time < 2; time += 1) {
    await expectCode(store.commit(key), 'unavailable');
    await expectCode(store.read(key), 'unavailable');
    await expectCode(store.delete([key]), 'unavailable');
    await expectCode(store.notes.put('a', 'x'), 'unavailable');
  }
  store.heal();
  await store.commit(key);
  await store.delete([key]);
});
