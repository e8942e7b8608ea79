import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { CompiledQuery } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SqliteSearcher } from './sqlite-searcher.ts';

let folder: string;
let searcher: SqliteSearcher;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-searcher-'));
  const file = join(folder, 'some.sqlite');
  new BetterSqlite3(file).exec('create table t (n integer)').close();
  searcher = new SqliteSearcher(file);
});
afterEach(async () => {
  await searcher.close();
  await rm(folder, { recursive: true });
});

it('searches that are asked for together are each answered with their own rows, or their own error', async () => {
  const asked = Array.from({ length: 50 }, (_, at) =>
    searcher.run(CompiledQuery.raw(at === 7 ? 'select no_such' : 'select ? as n', at === 7 ? [] : [at])),
  );
  const answers = await Promise.allSettled(asked);
  for (const [at, answer] of answers.entries())
    if (at === 7) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'internal' } });
    else expect(answer).toEqual({ status: 'fulfilled', value: [{ n: at }] });
});

it('a search whose database is closed before it is sent is told so', async () => {
  const asked = searcher.run(CompiledQuery.raw('select 1'));
  const [answer] = await Promise.allSettled([asked, searcher.close()]);
  expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
});
