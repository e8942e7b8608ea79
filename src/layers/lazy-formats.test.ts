/** Layers whose pieces can be pulled one by one are read as what they are otherwise: a tar in gzip, and one in zstd. */
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { inChunks, tarOf } from '../../test/support/layers.ts';
import { ManualClock } from '../lib/clock.ts';
import { digestOf } from '../oci/digest.ts';
import { extractors } from './extractors/list.ts';
import { readLayer } from './read-layer.ts';

const read = (bytes: Uint8Array) => readLayer(inChunks(bytes), { extractors, clock: new ManualClock() });
const lodash = {
  name: 'node_modules/lodash/package.json',
  text: '{"name":"lodash","version":"4.17.20"}',
};

/** Each piece by itself, as a lazy puller asks for them. */
function inPieces(tar: Buffer, compress: (piece: Buffer) => Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < tar.length; at += 1_024) pieces.push(compress(tar.subarray(at, at + 1_024)));
  return pieces;
}

test('eStargz: its table of contents and its landmark are files, as for a runtime that knows nothing of it', async () => {
  const tar = await tarOf([
    { name: '.no.prefetch.landmark', text: '\x0f' },
    lodash,
    { name: 'stargz.index.json', text: '{"version":1,"entries":[]}' },
  ]);
  const found = await read(
    Buffer.concat([...inPieces(tar, (piece) => gzipSync(piece)), stargzFooter(1_024)]),
  );
  expect(found).toMatchObject({ state: 'done', diffId: digestOf(tar) });
  expect(found.files.map(({ path }) => path)).toEqual([
    '.no.prefetch.landmark',
    lodash.name,
    'stargz.index.json',
  ]);
  expect(found.packages.map(({ purl }) => purl)).toEqual(['pkg:npm/lodash@4.17.20']);
});

test('zstd:chunked: what its skippable frames say is no part of the layer', async () => {
  const tar = await tarOf([lodash]);
  const frames = inPieces(tar, (piece) => zstdCompressSync(piece));
  const contents = skippableFrame(zstdCompressSync(Buffer.from('{"version":1,"entries":[]}')));
  const footer = skippableFrame(Buffer.concat([Buffer.alloc(56), Buffer.from('GNUlInUx')]));
  const found = await read(Buffer.concat([...frames, contents, footer]));
  expect(found).toEqual(await read(tar));
  expect(found).toMatchObject({ state: 'done', diffId: digestOf(tar) });
});

/** A gzip of nothing that says in its header where the table of contents begins: eStargz, "Footer". */
function stargzFooter(offset: number): Buffer {
  const place = Buffer.from(`${offset.toString(16).padStart(16, '0')}STARGZ`);
  const field = Buffer.concat([Buffer.from('SG'), Buffer.from([place.length, 0]), place]);
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, field.length, 0]);
  return Buffer.concat([header, field, deflateRawSync(''), Buffer.alloc(8)]);
}

/** RFC 8878, section 3.1.2. */
function skippableFrame(content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}
