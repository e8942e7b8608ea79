import BetterSqlite3 from 'better-sqlite3';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { LazaretError } from '../../lib/errors.ts';
import { turnEnded } from '../../lib/shared.ts';
import { type Flush, NotSeenEarly, SqliteWriter } from './sqlite-writer.ts';
import type { Tables } from './tables.ts';

let connection: BetterSqlite3.Database;
let writer: SqliteWriter;
let flushes: PromiseWithResolvers<void>[];
let modes: boolean[];
let told: string[];

beforeEach(() => {
  connection = new BetterSqlite3(':memory:');
  connection.exec('create table said (word text)');
  flushes = [];
  modes = [];
  told = [];
  writer = new SqliteWriter(new Kysely<Tables>({ dialect: new SqliteDialect({ database: connection }) }), {
    inTransaction: () => connection.inTransaction,
    waitForDisk: (waits) => void modes.push(waits),
    flush: () => {
      const flush = Promise.withResolvers<void>();
      flushes.push(flush);
      return flush.promise;
    },
  });
});

const rows = () => connection.prepare('select word from said').pluck().all();

async function say(flush: Flush, word: string): Promise<void> {
  await writer.transact(flush, async (db) => void (await sql`insert into said values (${word})`.execute(db)));
  told.push(word);
}

/** Until everything that waits for no disk has been done. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await turnEnded();
}

describe('the writer of a SQLite file', () => {
  it('tells who is seen early when its commit is on the disk, and commits others meanwhile', async () => {
    void say('after', 'a');
    await turns();
    expect([rows(), told, flushes.length]).toEqual([['a'], [], 1]);
    void say('after', 'b');
    await turns();
    expect([rows(), told, flushes.length]).toEqual([['a', 'b'], [], 2]);
    flushes[0]?.resolve();
    await turns();
    expect(told).toEqual(['a']);
    flushes[1]?.resolve();
    await turns();
    expect([told, modes]).toEqual([['a', 'b'], [false]]);
  });

  it('flushes once for all who come together, and not for what may be lost', async () => {
    const all = [say('after', 'a'), say('never', 'b'), say('after', 'c')];
    await turns();
    expect([told, flushes.length]).toEqual([['b'], 1]);
    flushes[0]?.resolve();
    await Promise.all(all);
    await say('never', 'd');
    expect([told, flushes.length]).toEqual([['b', 'a', 'c', 'd'], 1]);
  });

  it('waits for the disk inside the commit if anybody who comes together with others has to', async () => {
    await Promise.all([say('after', 'a'), say('within', 'b')]);
    expect([told, modes, flushes.length]).toEqual([['a', 'b'], [true], 0]);
  });

  it('runs what nobody may see early again, inside a commit that waits', async () => {
    const ways: Flush[] = [];
    const choosy = writer.transact('after', async (db, flush) => {
      ways.push(flush);
      await sql`insert into said values ('choosy')`.execute(db);
      if (flush !== 'within') throw new NotSeenEarly();
    });
    void say('after', 'other');
    await choosy;
    expect([ways, modes, rows()]).toEqual([
      ['after', 'within'],
      [false, true],
      ['other', 'choosy'],
    ]);
  });

  it('knows from the commit on that what can be read is not on the disk yet', async () => {
    let asked: Promise<void> | undefined;
    const done: string[] = [];
    await writer.flushed();
    void writer.transact('after', async (db) => {
      await sql`insert into said values ('a')`.execute(db);
      asked = writer.flushed();
    });
    await turns();
    void asked?.then(() => done.push('on disk'));
    await turns();
    expect(done).toEqual([]);
    flushes[0]?.resolve();
    await turns();
    expect(done).toEqual(['on disk']);
  });

  it('tells everybody who waits that the disk has failed', async () => {
    const all = [say('after', 'a'), say('after', 'b')];
    await turns();
    flushes[0]?.reject(new LazaretError('unavailable', 'no disk'));
    const failed = await Promise.allSettled([...all, writer.flushed()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(told).toEqual([]);
  });
});
