import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { type Clock, ManualClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { freshDatabase, template } from './postgres.ts';

export interface EngineWorld {
  /** A new, empty database of this engine, closed and removed after the suite. */
  open(options?: { region?: string; clock?: Clock }): Promise<Database>;
}

/** Runs the same tests on SQLite (a file in a temporary folder) and on a real PostgreSQL server. */
export function describeEngines(name: string, suite: (world: EngineWorld) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (engine) => {
    const cleanups: (() => Promise<void>)[] = [];
    afterAll(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });
    suite({
      open: async ({ region = 'home', clock = new ManualClock() } = {}) => {
        const config = engine === 'sqlite' ? await sqliteConfig(cleanups) : await postgresConfig(cleanups);
        const database = await openDatabase(config, { region, clock });
        cleanups.push(() => database.close());
        return database;
      },
    });
  });
}

async function sqliteConfig(cleanups: (() => Promise<void>)[]) {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-sqlite-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return { kind: 'sqlite' as const, file: join(folder, 'metadata.sqlite') };
}

async function postgresConfig(cleanups: (() => Promise<void>)[]) {
  const { url, drop } = await freshDatabase({ from: template });
  cleanups.push(drop);
  return { kind: 'postgres' as const, url };
}
