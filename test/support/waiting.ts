import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Database } from '../../src/records/db/database.ts';

/** Until a transaction waits for a lock of another one. On SQLite at once: whoever writes waits for who writes. */
export async function somebodyWaits({ engine, read }: Database): Promise<void> {
  if (engine === 'sqlite') return;
  const waiting = sql`select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  await expect
    .poll(async () => (await waiting.execute(read)).rows.length, { timeout: 25_000 })
    .toBeGreaterThan(0);
}
