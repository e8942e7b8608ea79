import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../test/support/layers.ts';
import { type TarEntry, TarParser } from './tar-parser.ts';
import { TarProblem } from './tar-problem.ts';

const headerBytesMax = 1 << 20;

function parse(bytes: Uint8Array, chunkBytes = bytes.length) {
  const entries: (TarEntry & { data: string })[] = [];
  let entry: TarEntry | undefined;
  let data: Buffer[] = [];
  const parser = new TarParser(
    {
      entry: (header) => {
        entry = header;
        data = [];
      },
      data: (some) => data.push(Buffer.from(some)),
      entryEnd: () => entry && entries.push({ ...entry, data: Buffer.concat(data).toString() }),
    },
    { headerBytesMax, problem: (message) => new TarProblem(message) },
  );
  for (let at = 0; at < bytes.length; at += chunkBytes) parser.push(bytes.subarray(at, at + chunkBytes));
  parser.end();
  return entries;
}

/** A header block made by hand: what well-behaved writers don't write. */
function block(options: {
  name: string;
  type: string;
  size?: number;
  magic?: string;
  prefix?: string;
}): Buffer {
  const header = Buffer.alloc(512);
  header.write(options.name, 0);
  header.write('0000644\0', 100);
  header.write(`${(options.size ?? 0).toString(8).padStart(11, '0')}\0`, 124);
  header.write(options.type, 156);
  header.write(options.magic ?? 'ustar\x0000', 257);
  header.write(options.prefix ?? '', 345);
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(-text.length & 511)]);
const end = Buffer.alloc(1024);
const x = (records: string) =>
  Buffer.concat([block({ name: 'pax', type: 'x', size: records.length }), padded(records)]);

describe('archives that GNU tar writes', () => {
  let folder = '';
  const long = 'deep/'.repeat(50);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lazaret-tar-'));
    await mkdir(join(folder, 'in', long), { recursive: true });
    await writeFile(join(folder, 'in', long, 'name'), 'at the end');
    await writeFile(join(folder, 'in', 'ünïcode'), 'é');
    await symlink(`${long}name`, join(folder, 'in', 'link'));
    await link(join(folder, 'in', 'ünïcode'), join(folder, 'in', 'üzhard'));
    const sparse = await open(join(folder, 'in', 'sparse'), 'w');
    await sparse.truncate(4 << 20);
    for (let at = 0; at < 30; at += 1) await sparse.write('x', at * 131_072);
    await sparse.close();
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ['gnu', []],
    ['pax', []],
    ['oldgnu', ['--sparse']],
    ['gnu', ['--sparse']],
    ['pax', ['--sparse']],
    ['pax', ['--sparse', '--sparse-version=0.1']],
  ])('%s %j', (format, flags) => {
    const args = ['-C', join(folder, 'in'), '--sort=name', `--format=${format}`, ...flags, '-cf', '-', '.'];
    const bytes = execFileSync('tar', args, { maxBuffer: 64 << 20 });
    for (const chunkBytes of [100, bytes.length]) {
      const entries = new Map(parse(bytes, chunkBytes).map((entry) => [entry.rawPath, entry]));
      expect(entries.get(`./${long}name`)).toMatchObject({ type: 'file', data: 'at the end', sparse: false });
      expect(entries.get('./link')).toMatchObject({ type: 'link', linkPath: `${long}name` });
      expect(entries.get('./ünïcode')).toMatchObject({ type: 'file', data: 'é' });
      expect(entries.get('./üzhard')).toMatchObject({ type: 'hardlink', linkPath: './ünïcode', data: '' });
      expect(entries.get('./sparse')).toMatchObject({ sizeBytes: 4 << 20, sparse: flags.length > 0 });
    }
  });
});

describe('what the header says', () => {
  test('V7 headers have no prefix, and a slash makes a folder', () => {
    const bytes = Buffer.concat([block({ name: 'a/', type: '\0', magic: '', prefix: 'no' }), end]);
    expect(parse(bytes)).toMatchObject([{ rawPath: 'a/', type: 'directory' }]);
  });

  test('ustar and mislabelled GNU headers have a prefix', () => {
    for (const magic of ['ustar\x0000', 'ustar  \0'])
      expect(
        parse(Buffer.concat([block({ name: 'b', type: '0', magic, prefix: 'some/where' }), end])),
      ).toMatchObject([{ rawPath: 'some/where/b' }]);
  });

  test.each(['1', '2', '3', '5', '6'])('type %s has no data, whatever size it states', (type) => {
    const bytes = Buffer.concat([
      block({ name: 'a', type, size: 512 }),
      block({ name: 'b', type: '0' }),
      end,
    ]);
    expect(parse(bytes).map(({ rawPath }) => rawPath)).toEqual(['a', 'b']);
  });

  test('records for one entry are not those of the next, and records for all are read over', () => {
    const global = block({ name: 'g', type: 'g', size: 14 });
    const bytes = Buffer.concat([
      global,
      padded('14 path=other\n'),
      x('12 path=one\n'),
      block({ name: 'a', type: '0' }),
      block({ name: 'b', type: '0' }),
      end,
    ]);
    expect(parse(bytes).map(({ rawPath }) => rawPath)).toEqual(['one', 'b']);
  });

  test('a size in a record counts, not the one in the block', () => {
    const bytes = Buffer.concat([
      x('10 size=3\n'),
      block({ name: 'a', type: '0', size: 1 }),
      padded('xyz'),
      end,
    ]);
    expect(parse(bytes)).toMatchObject([{ sizeBytes: 3, data: 'xyz' }]);
  });

  test('after the last data nothing need come, not even its padding; before its end everything', () => {
    const file = Buffer.concat([block({ name: 'a', type: '0', size: 700 }), padded('x'.repeat(700))]);
    for (const length of [512 + 700, 512 + 701, 512 + 1_023, 512 + 1_024])
      expect(parse(file.subarray(0, length))).toMatchObject([{ rawPath: 'a', data: 'x'.repeat(700) }]);
    for (const length of [1, 511, 512, 512 + 699])
      expect(() => parse(file.subarray(0, length))).toThrow(/truncated/);
    const named = x('12 path=one\n');
    expect(() => parse(named.subarray(0, 600))).toThrow(/truncated/);
  });

  test('one zero block is not the end', () => {
    const bytes = Buffer.concat([Buffer.alloc(512), block({ name: 'a', type: '0' })]);
    expect(() => parse(bytes)).toThrow(/after a zero block/);
  });

  test.each<[string, Buffer, RegExp]>([
    ['a record without its length', x('path=one\n'), /malformed/],
    ['a record longer than the header', x('99 path=one\n'), /malformed/],
    ['a path with a NUL', x('13 path=o\0ne\n'), /NUL/],
    ['a negative size', x('11 size=-3\n'), /impossible size/],
    [
      'an extended header over the limit',
      block({ name: 'x', type: 'x', size: headerBytesMax + 1 }),
      /at most/,
    ],
    ['a header without its entry', x('12 path=one\n'), /truncated/],
  ])('%s is refused', (_name, bytes, message) => {
    const parsing = () => parse(Buffer.concat([block({ name: 'first', type: '0' }), bytes]));
    expect(parsing).toThrow(TarProblem);
    expect(parsing).toThrow(message);
  });

  test('what is no tar says so, also when it arrives byte by byte', () => {
    expect(() => parse(Buffer.alloc(600, 'x'), 1)).toThrow(/^not a tar archive/);
  });
});

test('whatever is changed in an archive, it is read or refused, and the size of the chunks makes no difference', async () => {
  const layer = await tarOf([
    { name: 'a', text: 'x'.repeat(700) },
    { name: `${'p/'.repeat(120)}name`, text: 'long' },
    { name: 'l', type: 'symlink', linkname: 'a' },
  ]);
  const outcome = (bytes: Buffer, chunkBytes: number) => {
    try {
      return JSON.stringify(parse(bytes, chunkBytes));
    } catch (error) {
      if (error instanceof TarProblem) return 'refused';
      throw error;
    }
  };
  const change = fc.tuple(fc.nat(layer.length - 1), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 4 }),
      fc.integer({ min: 1, max: 1_500 }),
      (changes, chunkBytes) => {
        const bytes = Buffer.from(layer);
        for (const [at, byte] of changes) {
          bytes[at] = byte;
          // A checksum that fits lets the change through to what lies behind it.
          const start = at - (at % 512);
          bytes.fill(' ', start + 148, start + 156);
          const sum = bytes.subarray(start, start + 512).reduce((total, value) => total + value, 0);
          bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, start + 148);
        }
        expect(outcome(bytes, chunkBytes)).toBe(outcome(bytes, bytes.length));
      },
    ),
    { numRuns: 300 },
  );
});
