import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarIndex } from './tar-index.ts';

let folder: string;
const long = `${'deep/'.repeat(50)}name`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-tar-index-'));
  const inside = join(folder, 'in');
  await mkdir(join(inside, 'deep/'.repeat(50)), { recursive: true });
  await writeFile(join(inside, long), 'at the end');
  await writeFile(join(inside, 'layer.tar'), 'x'.repeat(5_000));
  await mkdir(join(inside, 'id'));
  await symlink('../layer.tar', join(inside, 'id/layer.tar'));
  await symlink('nowhere', join(inside, 'broken'));
  await symlink('loop', join(inside, 'loop'));
  await link(join(inside, 'layer.tar'), join(inside, 'same.tar'));
});
afterAll(() => rm(folder, { recursive: true }));

function indexed(bytes: Buffer) {
  return tarIndex(async (position, length) => bytes.subarray(position, position + length));
}

function packed(...flags: string[]): Buffer {
  return execFileSync('tar', ['-C', join(folder, 'in'), '--sort=name', ...flags, '-cf', '-', '.'], {
    maxBuffer: 1 << 24,
  });
}

describe('the index of an archive', () => {
  it.each(['gnu', 'pax', 'posix'])('finds files, long names and links in format %s', async (format) => {
    const bytes = packed(`--format=${format}`);
    const files = await indexed(bytes);
    const content = (path: string) => {
      const slice = files.get(path);
      return slice && bytes.toString('utf8', slice.offset, slice.offset + slice.sizeBytes);
    };
    expect([...files.keys()].sort()).toEqual([long, 'id/layer.tar', 'layer.tar', 'same.tar'].sort());
    expect(content(long)).toBe('at the end');
    for (const path of ['layer.tar', 'id/layer.tar', 'same.tar'])
      expect(content(path)).toBe('x'.repeat(5_000));
  });

  it('takes the later of two entries with one name', async () => {
    const twice = Buffer.concat([withoutEnd(packed()), packed()]);
    const files = await indexed(twice);
    expect(files.get('layer.tar')?.offset).toBeGreaterThan(packed().length / 2);
  });

  it('ends where the archive ends, also without its end', async () => {
    expect((await indexed(withoutEnd(packed()))).size).toBe(4);
    expect((await indexed(Buffer.concat([packed(), Buffer.from('rubbish')]))).size).toBe(4);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no archive', Buffer.from('{}'.repeat(1_000))],
    ['half a header', Buffer.alloc(100)],
  ])('of %s is refused', async (_, bytes) => {
    await expect(indexed(bytes)).rejects.toMatchObject({ code: 'invalid' });
  });
});

/** Without the two zero blocks, and what fills the last record. */
function withoutEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end >= 512 && bytes.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return bytes.subarray(0, end);
}
