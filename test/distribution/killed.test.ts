import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { http } from '../support/http.ts';

/** A server in a process of its own, which is killed while uploads are open. */
let folder: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-killed-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

it('an upload goes on after the server was killed, from the offset that it told', async () => {
  const content = 'kept through a kill, '.repeat(10_000);
  const half = content.length / 2;
  const before = await start();
  const begun = await http(before.client, 'POST /v2/acme/shop/blobs/uploads/');
  const location = begun.headers.get('location') ?? '';
  const first = await http(before.client, `PATCH ${location}`, { body: content.slice(0, half) });
  expect([first.status, first.headers.get('range')]).toEqual([202, `0-${half - 1}`]);
  await kill(before.child);
  const { client, child } = await start();
  const status = await http(client, `GET ${location}`);
  expect([status.status, status.headers.get('range')]).toEqual([204, `0-${half - 1}`]);
  const digest = digestOf(content);
  const headers = { 'content-range': `${half}-${content.length - 1}` };
  const closed = await http(client, `PUT ${location}?digest=${digest}`, {
    body: content.slice(half),
    headers,
  });
  expect(closed.status).toBe(201);
  expect(await (await http(client, `GET /v2/acme/shop/blobs/${digest}`)).text()).toBe(content);
  await kill(child);
});

async function start(): Promise<{ client: Client; child: ChildProcess }> {
  const bin = join(import.meta.dirname, '..', '..', 'src', 'bin', 'lazaret.ts');
  const settings = { LAZARET_DATA: folder, LAZARET_LISTEN_PORT: '0', LAZARET_LOG_LEVEL: 'silent' };
  const child = spawn(process.execPath, [bin, 'serve'], {
    cwd: folder,
    env: settings,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  const lines = createInterface({ input: child.stderr });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const found = /ready .*(http:\/\/[^ ]+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    lines.once('close', () => reject(new Error('the server did not start')));
  });
  const password = (await readFile(join(folder, 'admin-password'), 'utf8')).trim();
  return { child, client: { url, credentials: { kind: 'basic', username: 'admin', password } } };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  running.delete(child);
}
