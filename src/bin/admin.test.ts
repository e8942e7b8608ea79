import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../test/support/postgres.ts';
import { startTestServer } from '../../test/support/server.ts';
import { type Client, call } from '../client/client.ts';
import { accountCreate, whoami } from '../contract/access.ts';
import { principalDisable, roleUnbind } from '../contract/principals.ts';

const executable = fileURLToPath(new URL('./lazaret.ts', import.meta.url));
const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** The real program, in a process of its own. */
function reset(environment: Readonly<Record<string, string>>) {
  const options = { env: { PATH: process.env.PATH, ...environment } };
  return promisify(execFile)(process.execPath, [executable, 'admin', 'reset'], options);
}

describe.each(['sqlite', 'postgres'] as const)('lazaret admin reset, on %s', (engine) => {
  it('renews the password while the server runs and when it does not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-reset-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const environment: Record<string, string> = { LAZARET_DATA: join(folder, 'data') };
    await expect(reset(environment)).rejects.toMatchObject({
      stderr: expect.stringContaining('no server was ever started'),
    });
    if (engine === 'postgres') {
      const { url, drop } = await freshDatabase();
      cleanups.push(drop);
      environment.LAZARET_DATABASE_URL = url;
    }
    const server = await startTestServer({ environment });
    cleanups.push(server.close);
    const file = join(folder, 'data/admin-password');
    const admin = async (url: string): Promise<Client> => {
      const password = (await readFile(file, 'utf8')).trim();
      return { url, credentials: { kind: 'basic', username: 'admin', password } };
    };
    const first = await admin(server.url);
    const everything = { role: 'admin', account: null, repositoryGlob: null } as const;
    expect(await call(first, whoami)).toMatchObject({ bindings: [everything] });
    await call(first, principalDisable, { params: { name: 'admin' } });
    await expect(call(first, whoami)).rejects.toMatchObject({ code: 'unauthorized' });

    // The server is at work, with transactions of its own, all along.
    const busy = server.user('jo', null, [everything]).then(async (jo) => {
      for (let n = 0; n < 100; n++) await call(jo, accountCreate, { body: { name: `account${n}` } });
    });
    const { stdout } = await reset(environment);
    await busy;
    expect(stdout).toBe(`the new password of admin is in ${file}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const second = await admin(server.url);
    expect(second).not.toEqual(first);
    expect(await call(second, whoami)).toMatchObject({ bindings: [everything] });
    await expect(call(first, whoami)).rejects.toMatchObject({ code: 'unauthorized' });
    await call(second, roleUnbind, { params: { name: 'admin' }, body: everything });

    await server.stop();
    await reset(environment);
    const again = await startTestServer({ environment });
    cleanups.push(again.close);
    expect(await call(await admin(again.url), whoami)).toMatchObject({ bindings: [everything] });
  });
});
