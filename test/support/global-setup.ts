import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/records/db/migrate.ts';
import type { Tables } from '../../src/records/db/tables.ts';
import { createTemplate, startPostgres } from './postgres.ts';
import { startS3Broker } from './s3-server.ts';

/** Runs once around a whole run of the tests, in vitest's main process. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  await createTemplate(server.url, async (url) => {
    const db = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
    });
    await migrate(db, 'postgres');
    await db.destroy();
  });
  project.provide('postgresUrl', server.url);
  const broker = await startS3Broker();
  project.provide('s3Broker', broker.url);
  return async () => {
    await Promise.all([server.stop(), broker.stop()]);
  };
}
