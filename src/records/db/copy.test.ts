import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../../test/support/postgres.ts';
import { ManualClock } from '../../lib/clock.ts';
import { databaseCopy, databaseEmpty, databaseRestore } from './copy.ts';
import { type DatabaseConfig, openDatabase } from './drivers.ts';

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});
const options = { region: 'home', clock: new ManualClock() };

describe.each(['sqlite', 'postgres'] as const)('a copy of a database of %s', (engine) => {
  async function fresh(): Promise<{ config: DatabaseConfig; folder: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-copy-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    if (engine === 'sqlite')
      return { folder, config: { kind: engine, file: join(folder, 'metadata.sqlite') } };
    const { url, drop } = await freshDatabase();
    cleanups.push(drop);
    return { folder, config: { kind: engine, url } };
  }

  /** With an account and bytes of every value in a manifest's body. */
  async function filled() {
    const { config, folder } = await fresh();
    const database = await openDatabase(config, options);
    cleanups.push(() => database.close());
    const body = Uint8Array.from({ length: 256 }, (_, value) => value);
    await database.transact(async ({ db, nowMs: created_at }) => {
      await db.insertInto('accounts').values({ name: 'ac"me\\ \n☃', created_at }).execute();
      const plain = { media_type: 'm', artifact_type: null, platform: null, annotations: null };
      const manifest = { digest: 'sha256:1', digest_sha512: null, kind: 'image', size_bytes: 256 } as const;
      await db
        .insertInto('manifests')
        .values({ ...manifest, ...plain, body, created_at })
        .execute();
    });
    const file = join(folder, 'copy');
    const copy = await databaseCopy(config, file);
    return { config, database, file, copy, body };
  }

  it('is one moment: what comes later is not in it', async () => {
    const { database, copy } = await filled();
    await database.transact(async ({ db, nowMs }) => {
      await db.insertInto('accounts').values({ name: 'later', created_at: nowMs }).execute();
    });
    expect(await copy.read.selectFrom('accounts').select('id').execute()).toHaveLength(1);
    await copy.close();
  });

  it('brings back every value, under a new epoch, and keys go on', async () => {
    const { config, file, copy, body } = await filled();
    const before = await copy.read.selectFrom('settings').selectAll().execute();
    await copy.close();
    const { config: target } = await fresh();
    expect([await databaseEmpty(target), await databaseEmpty(config)]).toEqual([true, false]);
    await databaseRestore(target, file, options, async () => {});
    const database = await openDatabase(target, options);
    cleanups.push(() => database.close());
    const [account] = await database.read.selectFrom('accounts').selectAll().execute();
    expect(account?.name).toBe('ac"me\\ \n☃');
    const manifest = await database.read.selectFrom('manifests').select('body').executeTakeFirstOrThrow();
    expect(new Uint8Array(manifest.body)).toEqual(body);
    const epoch = (rows: typeof before) => rows.find(({ key }) => key === 'epoch')?.value;
    const after = await database.read.selectFrom('settings').selectAll().execute();
    expect(epoch(after)).toMatch(/^[0-9a-f]{8}$/);
    expect(epoch(after)).not.toBe(epoch(before));
    await database.transact(async ({ db }) => {
      const next = db.insertInto('accounts').values({ name: 'next', created_at: 1 });
      const { id } = await next.returning('id').executeTakeFirstOrThrow();
      expect(id).toBeGreaterThan(account?.id ?? 0);
    });
  });

  it('that could not be settled leaves the target empty, and the next attempt fills it', async () => {
    const { file, copy } = await filled();
    await copy.close();
    const { config: target, folder } = await fresh();
    const broken = databaseRestore(target, file, options, async () => {
      throw new Error('the power went');
    });
    await expect(broken).rejects.toThrow('the power went');
    expect(await databaseEmpty(target)).toBe(true);
    // As a process that was killed leaves it.
    if (engine === 'sqlite') await writeFile(join(folder, 'metadata.sqlite.restoring'), 'half');
    await databaseRestore(target, file, options, async () => {});
    expect(await databaseEmpty(target)).toBe(false);
    if (engine === 'sqlite') expect(await readdir(folder)).toEqual(['metadata.sqlite']);
  });
});

describe('the database file of SQLite', () => {
  it('is not called empty while a log of a database that is gone lies beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-copy-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'metadata.sqlite');
    await writeFile(`${file}-wal`, 'frames');
    expect(await databaseEmpty({ kind: 'sqlite', file })).toBe(false);
  });
});
