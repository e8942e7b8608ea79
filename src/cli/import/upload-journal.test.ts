import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { FileUploadJournal } from './upload-journal.ts';

it('open uploads are remembered per server, repository and digest, for a day', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'lazaret-journal-'));
  try {
    const folder = join(parent, 'state/import');
    const journal = new FileUploadJournal(folder, systemClock);
    const key = { url: 'https://new.example', repository: 'acme/shop', digest: 'sha256:1' };
    await journal.sweep();
    expect(await journal.find(key)).toBeUndefined();
    await journal.keep(key, '/v2/acme/shop/blobs/uploads/1');
    await journal.keep({ ...key, repository: 'acme/other' }, '/v2/acme/other/blobs/uploads/2');
    expect(await new FileUploadJournal(folder, systemClock).find(key)).toBe('/v2/acme/shop/blobs/uploads/1');
    await journal.forget(key);
    expect(await journal.find(key)).toBeUndefined();
    await journal.sweep();
    const [left = ''] = await readdir(folder);
    const dayBefore = systemClock.wallMs() / 1_000 - 90_000;
    await utimes(join(folder, left), dayBefore, dayBefore);
    await journal.sweep();
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(parent, { recursive: true });
  }
});
