import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ZipFile, zipOf } from '../../test/support/zip.ts';
import { ContentProblem } from './content-problem.ts';
import { limits } from './limits.ts';
import { readZipDirectory, readZipEntry, type ZipContent } from './zip.ts';

const files: readonly ZipFile[] = [
  { name: 'a.txt', text: 'alpha' },
  { name: 'folder/', text: '', stored: true },
  { name: 'folder/ö.txt', text: 'beta '.repeat(1_000) },
  { name: 'empty', text: '' },
  { name: 'stored.bin', bytes: Buffer.alloc(300, 7), stored: true },
];
const contentOf = (bytes: Uint8Array): ZipContent => ({
  sizeBytes: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

const texts = Object.fromEntries(
  files.filter(({ name }) => !name.endsWith('/')).map(({ name, text, bytes }) => [name, text ?? `${bytes}`]),
);

function read(bytes: Buffer, bytesMax = 1_000_000): Record<string, string> {
  const content = contentOf(bytes);
  const directory = readZipDirectory(content, limits);
  return Object.fromEntries(
    directory.entries.map((entry) => [
      entry.name,
      `${Buffer.from(readZipEntry(content, directory, { entry, bytesMax }))}`,
    ]),
  );
}

describe('an archive', () => {
  test.each([
    ['as it is', {}],
    [
      'behind a script, which its offsets do not count',
      { prefix: Buffer.from('#!/bin/sh\nexec java -jar "$0"\n') },
    ],
    ['with a comment', { comment: 'a comment' }],
    ['with a comment that looks like an end', { comment: `PK\x05\x06${'\0'.repeat(18)}` }],
    ['with wide fields', { zip64: true }],
    ['with wide fields behind a script', { zip64: true, prefix: Buffer.alloc(5_000, 0x23) }],
  ])('%s is read', (_, options) => {
    expect(read(zipOf(files, options))).toEqual(texts);
  });

  test('without files is read', () => {
    expect(read(zipOf([]))).toEqual({});
  });

  test.each<[string, readonly ZipFile[]]>([
    [
      'entries of the archive lie on each other',
      [
        { name: 'a', text: 'a' },
        { name: 'b', text: 'a', sharedWith: 'a' },
      ],
    ],
    ['its local header names another file', [{ name: 'a', localName: 'b', text: 'a' }]],
    ['it is encrypted', [{ name: 'a', text: 'a', encrypted: true }]],
    ['it is compressed by method 99, which is not supported', [{ name: 'a', text: 'a', method: 99 }]],
    ['it unpacks to more than it says', [{ name: 'a', text: 'aaaa', claimedBytes: 3 }]],
    [
      'its compressed bytes are broken',
      [{ name: 'a', bytes: Buffer.alloc(9, 0xff), stored: true, method: 8 }],
    ],
    [
      'it has 2000000 bytes; at most 1000000 are unpacked',
      [{ name: 'a', text: 'a', claimedBytes: 2_000_000 }],
    ],
  ])('says what is wrong: %s', (problem, entries) => {
    expect(() => read(zipOf(entries))).toThrow(new ContentProblem(problem));
  });

  test('of more files than are read is refused', () => {
    const content = contentOf(zipOf(files));
    expect(() => readZipDirectory(content, { ...limits, archiveMembersMax: 2 })).toThrow('more than 2 files');
  });

  test('that is none is told so', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('PK'), Buffer.alloc(100_000, 0x50)])
      expect(() => read(bytes)).toThrow('it is no zip archive');
  });

  test('with changed bytes is read or refused with a reason', () => {
    const whole = zipOf(files, { zip64: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const broken = Buffer.from(whole);
        for (const [at, value] of changes) broken[at] = value;
        try {
          read(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(ContentProblem);
        }
      }),
      { numRuns: 500 },
    );
  });
});

const folder = '/usr/share/java';
test.skipIf(!existsSync(folder) || !existsSync('/usr/bin/python3'))(
  'a real one is read as Python reads it (skipped where there are no jars or no Python)',
  () => {
    const jar = readdirSync(folder).find((name) => name.endsWith('.jar'));
    if (jar === undefined) return;
    const path = realpathSync(join(folder, jar));
    const script =
      'import sys,zipfile,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nfor i in z.infolist():\n  if not i.is_dir(): print(hashlib.sha256(z.read(i)).hexdigest(), i.filename)';
    const theirs = execFileSync('/usr/bin/python3', ['-c', script, path], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const content = contentOf(readFileSync(path));
    const directory = readZipDirectory(content, limits);
    const ours = directory.entries.map((entry) => {
      const bytes = readZipEntry(content, directory, { entry, bytesMax: limits.archiveMemberBytesMax });
      return `${hash('sha256', bytes)} ${entry.name}`;
    });
    expect(ours).toEqual(theirs);
  },
);
