import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { freshDatabase, startPostgres } from './postgres.ts';

const database = await freshDatabase();
afterAll(() => database.drop());

test('a fresh database answers as a real PostgreSQL and is empty', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(
    "select current_setting('server_version_num')::int / 10000 as major, (select count(*)::int from pg_tables where schemaname = 'public') as tables",
  );
  await client.end();
  expect(rows).toEqual([{ major: 18, tables: 0 }]);
});

test('dropping a database works while a connection is open, and a second drop does no harm', async () => {
  const other = await freshDatabase();
  const client = new pg.Client({ connectionString: other.url });
  client.on('error', () => undefined);
  await client.connect();
  await other.drop();
  await other.drop();
  await expect(client.query('select 1')).rejects.toThrow();
});

test('a stopped server leaves no folder and no process', async () => {
  const server = await startPostgres();
  const folder = await serverFolder(server.url);
  expect(existsSync(folder)).toBe(true);
  await server.stop();
  expect(existsSync(folder)).toBe(false);
  await expect(serverFolder(server.url)).rejects.toThrow('ECONNREFUSED');
});

test('a server ends and its folder goes when the process that started it is killed', async () => {
  const program = `import { startPostgres } from ${JSON.stringify(new URL('./postgres.ts', import.meta.url).href)};
    console.log((await startPostgres()).url); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let url = '';
  for await (const line of createInterface({ input: child.stdout })) {
    url = line;
    break;
  }
  const folder = await serverFolder(url);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false);
  await expect(serverFolder(url)).rejects.toThrow('ECONNREFUSED');
});

async function serverFolder(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ data_directory: string }>('show data_directory');
  await client.end();
  return dirname(rows[0]?.data_directory ?? '');
}
