import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import type { Client } from '../client/client.ts';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-user-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

it('an account gets a user who may do what their roles say, until they are disabled', async () => {
  await lazaret(server.admin, 'account', 'add', 'acme');
  expect((await lazaret(server.admin, 'account', 'ls')).text).toContain('acme');
  const secretFile = join(folder, 'jo');
  const added = await lazaret(
    server.admin,
    'user',
    'add',
    'jo',
    '--account',
    'acme',
    '--role',
    'writer',
    '--secret-file',
    secretFile,
  );
  expect(added.text).toBe(`jo is writer of everything of acme\npassword in ${secretFile}`);
  expect((await stat(secretFile)).mode & 0o777).toBe(0o600);

  const password = (await readFile(secretFile, 'utf8')).trim();
  const jo: Client = { url: server.url, credentials: { kind: 'basic', username: 'jo', password } };
  const plan = ['scan', '--all', '--package', 'pkg:npm/lodash', '--effect', 'quarantine'] as const;
  expect((await lazaret(jo, ...plan)).code).toBe(0);
  await expect(lazaret(jo, 'account', 'add', 'mine')).rejects.toMatchObject({ code: 'denied' });
  await expect(lazaret(jo, 'quarantine', 'plan', '--scan', 'S-1')).rejects.toMatchObject({ code: 'denied' });
  await lazaret(server.admin, 'user', 'role', 'jo', '--account', 'acme', '--role', 'security');
  await expect(lazaret(jo, 'quarantine', 'plan', '--scan', 'S-1')).rejects.toMatchObject({
    code: 'conflict',
  });

  await lazaret(server.admin, 'user', 'disable', 'jo');
  await expect(lazaret(jo, 'scan', '--all')).rejects.toMatchObject({ code: 'unauthorized' });
});
