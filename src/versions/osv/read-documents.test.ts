import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { type OsvDocumentKind, readOsvDocuments } from './read-documents.ts';

const doc = (id: string, more: object = {}) =>
  JSON.stringify({ id, modified: '2026-01-01T00:00:00Z', ...more });

async function* chunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(source: AsyncIterable<Uint8Array> | string, kind: OsvDocumentKind) {
  const found: string[] = [];
  for await (const reading of readOsvDocuments(source, kind))
    found.push(reading.ok ? reading.advisory.id : `${reading.where}: ${reading.error.code}`);
  return found;
}

describe('readOsvDocuments', () => {
  const tricky = doc('A-1', { summary: 'a ] , } \\" [ {"', aliases: ['x,y'] });
  const lines = `\n${tricky}\r\n{"id": \n\n${doc('A-2')}\n[]\n${doc('A-3')}`;
  const array = ` [\n${tricky}, {"id":,}, ${doc('A-2')} , 7, ${doc('A-3')}\n]\n`;

  it.each([1, 2, 7, 1000])('reads lines and arrays the same in chunks of %d bytes', async (size) => {
    expect(await readAll(chunks(Buffer.from(lines), size), 'jsonl')).toEqual([
      'A-1',
      'line 3: invalid',
      'A-2',
      'line 6: invalid',
      'A-3',
    ]);
    expect(await readAll(chunks(Buffer.from(array), size), 'json')).toEqual([
      'A-1',
      'item 1: invalid',
      'A-2',
      'item 3: invalid',
      'A-3',
    ]);
    expect(await readAll(chunks(gzipSync(lines), size), 'jsonl')).toEqual([
      'A-1',
      'line 3: invalid',
      'A-2',
      'line 6: invalid',
      'A-3',
    ]);
  });

  it('reads a single document, from text too', async () => {
    expect(await readAll(` ${doc('A-1')}\n`, 'json')).toEqual(['A-1']);
    expect(await readAll('{"id"', 'json')).toEqual(['document: invalid']);
    expect(await readAll('', 'json')).toEqual([]);
    expect(await readAll('[]', 'json')).toEqual([]);
  });

  it('leaves out a document over the limit and reads the others', async () => {
    const large = doc('B-1', { details: 'x'.repeat(limits.advisoryBytesMax) });
    expect(await readAll(`${doc('A-1')}\n${large}\n${doc('A-2')}`, 'jsonl')).toEqual([
      'A-1',
      'line 2: tooLarge',
      'A-2',
    ]);
  });

  it('reads what comes before the damage of a gzip stream', async () => {
    const whole = gzipSync(Array.from({ length: 20_000 }, (_, index) => doc(`A-${index * 7919}`)).join('\n'));
    const found = await readAll(chunks(whole.subarray(0, whole.length - 100), 4096), 'jsonl');
    expect(found.length).toBeGreaterThan(10_000);
    expect(found.at(-1)).toBe('the stream: invalid');
  });

  it('passes on an error of the source', async () => {
    async function* failing() {
      yield Buffer.from(`${doc('A-1')}\n`);
      throw new Error('the disk is gone');
    }
    await expect(readAll(failing(), 'jsonl')).rejects.toThrow('the disk is gone');
  });

  it('reads real advisories', async () => {
    const files = ['npm.jsonl', 'debian.jsonl'].map((name) =>
      readFileSync(new URL(`../../../test/fixtures/osv/${name}`, import.meta.url)),
    );
    const found = await Promise.all(files.map((bytes) => readAll(chunks(bytes, 999), 'jsonl')));
    expect(found.map(({ length }) => length)).toEqual([6, 1]);
    expect(found.flat()).toContain('GHSA-35jh-r3h4-6jhm');
  });
});
