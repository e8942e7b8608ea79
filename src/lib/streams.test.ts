import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hasCode } from './errors.ts';
import { abortable, collect, hashing, limitBytes } from './streams.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function* chunks(...texts: string[]) {
  for (const text of texts) yield bytes(text);
}

test('limitBytes passes a source of exactly the limit', async () => {
  const limited = limitBytes(chunks('ab', 'cd'), 4, () => new Error('over'));
  expect(String(await collect(limited, 100))).toBe('abcd');
});

test('limitBytes fails before the chunk that exceeds the limit, and ends the source', async () => {
  let ended = false;
  async function* source() {
    try {
      yield bytes('ab');
      yield bytes('cde');
    } finally {
      ended = true;
    }
  }
  const seen: string[] = [];
  const reading = (async () => {
    for await (const chunk of limitBytes(source(), 4, () => new Error('over')))
      seen.push(String.fromCharCode(...chunk));
  })();
  await expect(reading).rejects.toThrow('over');
  expect(seen).toEqual(['ab']);
  expect(ended).toBe(true);
});

test('hashing gives the hash of all that passed', async () => {
  const hash = createHash('sha256');
  expect(String(await collect(hashing(chunks('a', '', 'bc'), hash), 10))).toBe('abc');
  expect(hash.digest('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('collect refuses a source over its limit with tooLarge', async () => {
  await expect(collect(chunks('abc', 'd'), 3)).rejects.toSatisfy((error) => hasCode(error, 'tooLarge'));
});

test('abortable fails at once with the reason when the source is silent', async () => {
  const stop = new AbortController();
  async function* silent() {
    yield bytes('a');
    await new Promise(() => {});
  }
  const iterator = abortable(silent(), stop.signal);
  expect((await iterator.next()).done).toBe(false);
  const waiting = iterator.next();
  stop.abort(new Error('cut'));
  await expect(waiting).rejects.toThrow('cut');
});

test('abortable never starts a source when the signal is aborted already', async () => {
  let started = false;
  async function* source() {
    started = true;
    yield bytes('a');
  }
  await expect(collect(abortable(source(), AbortSignal.abort(new Error('cut'))), 10)).rejects.toThrow('cut');
  expect(started).toBe(false);
});

test('abortable ends the source when its reader stops early', async () => {
  let ended = false;
  async function* source() {
    try {
      yield bytes('a');
      yield bytes('b');
    } finally {
      ended = true;
    }
  }
  for await (const _ of abortable(source(), new AbortController().signal)) break;
  expect(ended).toBe(true);
});
