import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret, lazaretRead } from '../../test/support/command-line.ts';
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
  // There is no image of which anything could be told.
  expect((await lazaret(jo, ...plan)).code).toBe(3);
  await expect(lazaret(jo, 'account', 'add', 'mine')).rejects.toMatchObject({ code: 'denied' });
  await expect(lazaret(jo, 'quarantine', 'plan', '--scan', 'S-1')).rejects.toMatchObject({ code: 'denied' });
  await lazaret(server.admin, 'user', 'role', 'jo', '--account', 'acme', '--role', 'security');
  await expect(lazaret(jo, 'quarantine', 'plan', '--scan', 'S-1')).rejects.toMatchObject({
    code: 'conflict',
  });

  const changed = await lazaretRead(jo, 'my own long password\n', 'user', 'password');
  expect(changed.text).toContain('your password is changed');
  await expect(lazaret(jo, 'scan', '--all')).rejects.toMatchObject({ code: 'unauthorized' });
  const own = { kind: 'basic', username: 'jo', password: 'my own long password' } as const;
  const same: Client = { url: server.url, credentials: own };
  expect((await lazaret(same, ...plan)).code).toBe(3);
  await expect(lazaretRead(same, 'short', 'user', 'password')).rejects.toMatchObject({ code: 'invalid' });
  const renewed = await lazaret(server.admin, 'user', 'renew', 'jo');
  expect(renewed.text).toMatch(/^jo has a new password\npassword, shown this once: \S{32}$/);
  await expect(lazaret(same, ...plan)).rejects.toMatchObject({ code: 'unauthorized' });
  expect((await lazaret(server.admin, 'user', 'ls')).text).toMatch(
    /^jo +acme +writer of everything of acme, /m,
  );

  await lazaret(server.admin, 'user', 'disable', 'jo');
  await expect(lazaret(jo, 'scan', '--all')).rejects.toMatchObject({ code: 'unauthorized' });
});
