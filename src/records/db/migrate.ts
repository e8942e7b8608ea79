import { type Kysely, sql } from 'kysely';
import type { Engine } from './engine.ts';
import { up as house } from './migrations/0001-house.ts';
import { up as fileHashSearch } from './migrations/0002-file-hash-search.ts';
import type { Tables } from './tables.ts';

/** The one list; a name that has run is never renamed or edited. */
const migrations: readonly { name: string; up(db: Kysely<Tables>, engine: Engine): Promise<void> }[] = [
  { name: '0001-house', up: house },
  { name: '0002-file-hash-search', up: fileHashSearch },
];

const migrationLock = 7_205_758;

/** Runs what has not run, each in a transaction of its own; several servers that start at once take turns. */
export async function migrate(db: Kysely<Tables>, engine: Engine): Promise<void> {
  await db.transaction().execute(async (tx) => {
    if (engine === 'postgres') await sql`select pg_advisory_xact_lock(${migrationLock})`.execute(tx);
    await sql`create table if not exists migrations (name text primary key)`.execute(tx);
    const done = new Set((await tx.selectFrom('migrations').select('name').execute()).map((row) => row.name));
    for (const migration of migrations) {
      if (done.has(migration.name)) continue;
      await migration.up(tx, engine);
      await tx.insertInto('migrations').values({ name: migration.name }).execute();
    }
  });
}
