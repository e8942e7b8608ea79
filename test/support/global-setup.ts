import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';

/** Runs once around a whole run of the tests, in vitest's main process. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  project.provide('postgresUrl', server.url);
  return server.stop;
}
