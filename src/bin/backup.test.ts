import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import { pushLayers } from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { buildLayer } from '../../test/support/oci-layout.ts';
import { freshDatabase } from '../../test/support/postgres.ts';
import { startTestServer } from '../../test/support/server.ts';
import type { Client } from '../client/client.ts';

const executable = fileURLToPath(new URL('./lazaret.ts', import.meta.url));
const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

type Environment = Readonly<Record<string, string>>;

/** The real program, in a process of its own. */
async function run(environment: Environment, ...argv: string[]): Promise<{ text: string; code: number }> {
  const options = { env: { PATH: process.env.PATH, ...environment } };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [executable, ...argv], options);
    return { text: stdout + stderr, code: 0 };
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error)
      return { text: `${error.stdout}${error.stderr}`, code: Number(error.code) };
    throw error;
  }
}

describe.each(['sqlite', 'postgres'] as const)('lazaret backup and restore, on %s', (engine) => {
  it('bring a region back that was lost, while its server served', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-backup-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const database = async (): Promise<Environment> => {
      if (engine === 'sqlite') return {};
      const { url, drop } = await freshDatabase();
      cleanups.push(drop);
      return { LAZARET_DATABASE_URL: url };
    };
    const home: Environment = { LAZARET_DATA: join(folder, 'home'), ...(await database()) };
    const dir = join(folder, 'backup');
    await mkdir(join(folder, 'home'));
    await mkdir(join(folder, 'new'));

    const server = await startTestServer({ environment: home });
    cleanups.push(server.close);
    const role = { role: 'maintainer', account: 'acme', repositoryGlob: null } as const;
    const acme = await server.user('acme-ci', 'acme', [role]);
    const layer = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
    const digest = await pushLayers(acme, 'acme/shop:1', [layer]);
    const saved = await run(home, 'backup', dir);
    expect(saved.text).toMatch(/^backup of local at .* 1 manifest, 2 blobs · 2 blobs copied/);
    expect((await run(home, 'backup', dir)).text).toContain('0 blobs copied (0 B), 0 no longer needed');
    const busy = await run(home, 'restore', dir);
    expect(busy).toMatchObject({ code: 1, text: expect.stringContaining('another server uses') });
    await server.close();
    const over = await run(home, 'restore', dir);
    expect(over).toMatchObject({ code: 1, text: expect.stringContaining('not empty') });

    const fresh: Environment = { LAZARET_DATA: join(folder, 'new'), ...(await database()) };
    const restored = await run(fresh, 'restore', dir);
    expect(restored.text).toMatch(/^region local is as of .* 2 blobs copied .* 0 later decisions replayed/);
    expect(restored.text).toContain('the collector is off until a scrub has ended');
    expect(restored.code).toBe(0);

    const again = await startTestServer({ environment: fresh });
    cleanups.push(again.close);
    const at = ({ credentials }: Client): Client => ({ url: again.url, credentials });
    const password = (await readFile(join(folder, 'home/admin-password'), 'utf8')).trim();
    const admin = at({ url: '', credentials: { kind: 'basic', username: 'admin', password } });
    expect((await http(at(acme), `GET /v2/acme/shop/manifests/${digest}`)).status).toBe(200);
    expect((await http(at(acme), `GET /v2/acme/shop/blobs/${layer.digest}`)).status).toBe(200);
    const off = await lazaret(admin, 'gc');
    expect(off).toMatchObject({ code: 3, text: expect.stringContaining('not scrubbed since') });
    expect((await lazaret(admin, 'scrub', '--verify', '--repair')).text).toContain(
      'the collector works again',
    );
    expect((await lazaret(admin, 'gc')).code).toBe(0);
  });

  it('say how to use them', async () => {
    expect((await run({}, 'restore', '--help')).text).toContain('$ lazaret restore /srv/backup/lazaret');
  });
});
