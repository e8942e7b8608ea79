import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Clamd, eicar, eicarSignature, startClamd } from '../../test/support/clamd.ts';
import { buildLayer, type LayerEntry } from '../../test/support/oci-layout.ts';
import type { LayerInventory } from '../layers/inventory.ts';
import { readLayer } from '../layers/read-layer.ts';
import { systemClock } from '../lib/clock.ts';
import { type ClamdConfig, clamdEngine } from './clamd.ts';

let clamd: Clamd;
beforeAll(async () => {
  clamd = await startClamd({ streamBytesMax: 400_000, fileBytesMax: 300_000 });
});
afterAll(() => clamd.close());

const file = (path: string, content: string | Uint8Array): LayerEntry => ({ path, content });

/** Read in pieces of so many bytes. */
async function read(
  entries: readonly LayerEntry[],
  config: ClamdConfig = clamd.config,
  pieceBytes = 65_536,
): Promise<Pick<LayerInventory, 'malware' | 'state'> & { malwareIs: unknown }> {
  const { bytes } = await buildLayer(entries, { compression: 'none' });
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const options = { extractors: [], clock: systemClock, malware: clamdEngine(config) };
  const { malware, state, extractions } = await readLayer(pieces(), options);
  const { state: looked, reason } = extractions.find(({ extractor }) => extractor === 'malware') ?? {};
  return { malware, state, malwareIs: reason === undefined ? looked : { [String(looked)]: reason } };
}

it.each([512, 10_000, 1_000_000])(
  'a file that clamd knows is found, read %i bytes at a time',
  async (piece) => {
    const many = Array.from({ length: 300 }, (_, n) => file(`srv/${n}`, `the file ${n}`));
    const entries = [
      ...many,
      file('opt/eicar.com', eicar),
      file('empty', ''),
      ...many.slice(0, 9),
      file('z', eicar),
    ];
    const { malware, ...result } = await read(entries, clamd.config, piece);
    expect(malware.map(({ path, signature }) => `${path} ${signature}`).sort()).toEqual([
      `opt/eicar.com ${eicarSignature}`,
      `z ${eicarSignature}`,
    ]);
    expect(result).toEqual({ state: 'done', malwareIs: 'done' });
  },
);

it('a file that a later entry of the layer replaces is found', async () => {
  const { malware } = await read([file('a', eicar), file('a', 'harmless')]);
  expect(malware).toEqual([{ path: 'a', signature: eicarSignature }]);
});

it('a layer without files is clean, and clamd is not asked', async () => {
  const nowhere = { ...clamd.config, socket: '/nowhere/clamd.sock' };
  expect(await read([{ path: 'etc', folder: true }], nowhere)).toMatchObject({ malwareIs: 'done' });
});

it('what is larger than clamd is given, or looks at, is unknown, and the rest is looked at', async () => {
  const entries = [
    file('larger', Buffer.alloc(400_001, 65)),
    file('large', Buffer.alloc(350_000, 65)),
    file('eicar', eicar),
  ];
  const { malware, malwareIs, state } = await read(entries);
  expect(malware).toEqual([{ path: 'eicar', signature: eicarSignature }]);
  expect(malwareIs).toEqual({
    unknown: 'larger: 400001 bytes; clamd is given at most 400000 (and 1 more)',
  });
  expect(state).toBe('done');
  expect((await read(entries.slice(1))).malwareIs).toEqual({
    unknown: 'large: clamd looked at a part of it only (Heuristics.Limits.Exceeded.MaxFileSize)',
  });
});

it('a stream that clamd does not take ends the looking, says which setting is wrong, and keeps what was found', async () => {
  const config = { ...clamd.config, streamBytesMax: 10_000_000 };
  const entries = [file('eicar', eicar), file('large', Buffer.alloc(2_000_000, 65)), file('more', 'more')];
  const { malwareIs, state } = await read(entries, config);
  expect(malwareIs).toEqual({
    unknown: expect.stringContaining('inspection.clamav.streamMax is more than its StreamMaxLength'),
  });
  expect(state).toBe('done');
});

it.each([
  ['nothing listens', '/nowhere/clamd.sock', 'connect ENOENT /nowhere/clamd.sock'],
  ['nobody answers at the port', '127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
])('where %s nothing is clean', async (_name, socket, reason) => {
  const result = await read([file('a', 'a'), file('b', 'b')], { socket, streamBytesMax: 1_000 });
  expect(result).toEqual({
    malware: [],
    state: 'done',
    malwareIs: { unknown: `clamd at ${socket}: ${reason}` },
  });
});

it.each([
  ['ends the connection', '', 'it ended the connection'],
  ['answers what nobody asked', '9: stream: OK\0', 'clamd says: stream: OK'],
  ['says that it can not', 'COMMAND READ TIMED OUT\0', 'clamd says: COMMAND READ TIMED OUT'],
  ['answers without an end', 'x'.repeat(70_000), 'an answer without an end'],
])('where something %s nothing is clean', async (_name, answer, reason) => {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-no-clamd-'));
  const socket = join(folder, 'sock');
  const server = createServer((connection) => {
    connection.once('data', () => connection.end(answer));
    connection.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const { malwareIs } = await read([file('a', 'a')], { socket, streamBytesMax: 1_000 });
  expect(malwareIs).toEqual({ unknown: `clamd at ${socket}: ${reason}` });
  server.close();
  await rm(folder, { recursive: true });
});

it('a layer that is cut off is unknown, and what was found before is kept', async () => {
  const { bytes } = await buildLayer([file('eicar', eicar), file('cut', 'x'.repeat(5_000))], {
    compression: 'none',
  });
  async function* cut() {
    yield bytes.subarray(0, 3_000);
  }
  const options = { extractors: [], clock: systemClock, malware: clamdEngine(clamd.config) };
  const { malware, extractions, state } = await readLayer(cut(), options);
  expect(malware).toEqual([{ path: 'eicar', signature: eicarSignature }]);
  expect([state, extractions.map((one) => one.state)]).toEqual(['unknown', ['unknown']]);
});
