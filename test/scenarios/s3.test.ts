/** Whole servers that keep their bytes in S3. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, test } from 'vitest';
import { S3Requests } from '../../src/blobs/s3-client.ts';
import type { S3Config } from '../../src/blobs/s3-config.ts';
import { authorization, type Client } from '../../src/client/client.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { limits } from '../../src/lib/limits.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { backupTo, restoreFrom } from '../../src/server/backup.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { all } from '../support/blob-store-contract.ts';
import { lazaret } from '../support/command-line.ts';
import { pushLayers } from '../support/distribution-world.ts';
import { http } from '../support/http.ts';
import { buildLayer } from '../support/oci-layout.ts';
import { quarantineLayer, releaseQuarantine } from '../support/regions.ts';
import { s3Environment } from '../support/s3-place.ts';
import { type S3Server, s3Server } from '../support/s3-server.ts';
import { startTestServer } from '../support/server.ts';

const executable = fileURLToPath(new URL('../../src/bin/lazaret.ts', import.meta.url));
const day = 86_400_000;
const found = await s3Server();

if ('missing' in found) test.skip(`a server on S3: ${found.missing}`, () => {});
else describe('a server on S3', { timeout: 120_000 }, () => serverTests(found));

function serverTests({ place }: S3Server): void {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  function bucketAt(config: S3Config): S3Requests {
    const bucket = new S3Requests(config);
    cleanups.push(() => bucket.close());
    return bucket;
  }

  const maintainer = { role: 'maintainer', account: 'acme', repositoryGlob: null } as const;

  it('takes an image, gives it back, refuses it while it is quarantined, and collects its bytes', async () => {
    const config = place();
    const bucket = bucketAt(config);
    const clock = new ManualClock();
    const server = await startTestServer({ clock, environment: s3Environment(config) });
    cleanups.push(server.close);
    const acme = await server.user('acme-ci', 'acme', [maintainer]);
    const layer = await buildLayer([{ path: 'big', content: randomBytes(limits.storePartBytes + 900_000) }]);
    const digest = await pushLayers(acme, 'acme/shop:1', [layer]);
    const blob = `/v2/acme/shop/blobs/${layer.digest}`;
    expect(Buffer.from(await (await http(acme, `GET ${blob}`)).arrayBuffer()).equals(layer.bytes)).toBe(true);
    const part = await http(acme, `GET ${blob}`, { headers: { range: 'bytes=8388600-8388620' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(layer.bytes.subarray(8_388_600, 8_388_621))).toBe(
      true,
    );
    await server.drain();

    const { database, blobs } = server.context;
    const region = { name: 'local', database, blobs, clock };
    const uid = await quarantineLayer(region, layer.digest);
    expect((await http(acme, `GET ${blob}`)).status).toBe(403);
    await releaseQuarantine(region, uid);
    expect((await http(acme, `HEAD ${blob}`)).status).toBe(200);

    expect((await http(acme, `DELETE /v2/acme/shop/manifests/${digest}`)).status).toBe(202);
    for (let days = 0; days < 6; days += 1) {
      clock.advance(day);
      await server.drain();
      await lazaret(server.admin, 'gc', '--confirm-clock');
      await lazaret(server.admin, 'gc');
    }
    const left = (await all(bucket.list(''))).map(({ name }) => name);
    expect(left.filter((name) => /^(blobs|uploads)\//.test(name))).toEqual([]);
    expect(await all(bucket.multiparts(''))).toEqual([]);
  });

  it('sends clients to the bucket when it is told to, but for nothing that is quarantined', async () => {
    const config = place();
    const clock = new ManualClock();
    const environment = { ...s3Environment(config), LAZARET_BLOBS_REDIRECT: 'on' };
    const server = await startTestServer({ clock, environment });
    cleanups.push(server.close);
    const acme = await server.user('acme-ci', 'acme', [maintainer]);
    const layer = await buildLayer([{ path: 'a', content: 'text' }]);
    await pushLayers(acme, 'acme/shop:1', [layer]);
    const blob = `/v2/acme/shop/blobs/${layer.digest}`;
    const sent = await http(acme, `GET ${blob}`);
    expect(sent.status).toBe(307);
    const bytes = await (await fetch(sent.headers.get('location') ?? '')).arrayBuffer();
    expect(Buffer.from(bytes).equals(layer.bytes)).toBe(true);
    expect((await http(acme, `HEAD ${blob}`)).status).toBe(200);
    const { database, blobs } = server.context;
    await quarantineLayer({ name: 'local', database, blobs, clock }, layer.digest);
    const refused = await http(acme, `GET ${blob}`);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('location')).toBeNull();
  });

  it('is backed up into a folder, and comes back in another bucket’s folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-s3-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const server = await startTestServer({ environment: s3Environment(place()) });
    cleanups.push(server.close);
    const acme = await server.user('acme-ci', 'acme', [maintainer]);
    const layer = await buildLayer([{ path: 'a', content: 'text' }]);
    await pushLayers(acme, 'acme/shop:1', [layer]);
    const never = new AbortController().signal;
    await backupTo(server.context.config, join(folder, 'backup'), never);
    await server.stop();

    const environment = { ...s3Environment(place()), LAZARET_DATA: join(folder, 'data') };
    await mkdir(environment.LAZARET_DATA);
    const { config } = await loadConfig({ environment, file: undefined });
    await restoreFrom(config, join(folder, 'backup'), never);
    const again = await startTestServer({ environment });
    cleanups.push(again.close);
    const pulled = await http({ ...acme, url: again.url }, `GET /v2/acme/shop/blobs/${layer.digest}`);
    expect(Buffer.from(await pulled.arrayBuffer()).equals(layer.bytes)).toBe(true);
  });

  it('goes on with an upload that was going on when it was killed', async () => {
    const config = place();
    const bucket = bucketAt(config);
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-s3-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const content = randomBytes(3 * limits.storePartBytes);
    const first = await startProcess({ ...s3Environment(config), LAZARET_DATA: folder }, cleanups);
    const location = (await http(first.admin, 'POST /v2/shop/blobs/uploads/')).headers.get('location') ?? '';
    streamWithoutEnd(first.admin, location, content.subarray(0, 2 * limits.storePartBytes + 5_000));
    await until(async () => {
      const [upload] = await all(bucket.multiparts(''));
      return upload !== undefined && (await bucket.parts(upload.name, upload.id))?.length === 2;
    });
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');

    const { admin } = await startProcess({ ...s3Environment(config), LAZARET_DATA: folder }, cleanups);
    const status = await http(admin, `GET ${location}`);
    expect(status.headers.get('range')).toBe(`0-${2 * limits.storePartBytes - 1}`);
    const from = 2 * limits.storePartBytes;
    const headers = { 'content-range': `${from}-${content.byteLength - 1}` };
    const patched = await http(admin, `PATCH ${location}`, { headers, body: content.subarray(from) });
    expect(patched.status).toBe(202);
    const digest: Digest = digestOf(content);
    expect((await http(admin, `PUT ${location}?digest=${digest}`)).status).toBe(201);
    const pulled = await http(admin, `GET /v2/shop/blobs/${digest}`);
    expect(Buffer.from(await pulled.arrayBuffer()).equals(content)).toBe(true);
    expect((await all(bucket.list('uploads/'))).length + (await all(bucket.multiparts(''))).length).toBe(0);
  });
}

async function startProcess(
  environment: Readonly<Record<string, string>>,
  cleanups: (() => unknown)[],
): Promise<{ process: ChildProcess; admin: Client }> {
  const env = {
    PATH: process.env.PATH,
    LAZARET_LISTEN_PORT: '0',
    LAZARET_LOG_LEVEL: 'silent',
    ...environment,
  };
  const server = spawn(process.execPath, [executable, 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  cleanups.push(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stderr })) {
    lines.push(line);
    const [, url] = /^ready .* (http:\S+) · data/.exec(line) ?? [];
    if (url === undefined) continue;
    server.stderr.resume();
    const password = await readFile(join(environment.LAZARET_DATA ?? '', 'admin-password'), 'utf8');
    const credentials = { kind: 'basic', username: 'admin', password: password.trim() } as const;
    return { process: server, admin: { url, credentials } };
  }
  throw new Error(`the server ended: ${lines.join('\n')}`);
}

/** Sends these bytes and then nothing, as a client whose line has gone silent. */
function streamWithoutEnd(client: Client, path: string, content: Uint8Array): void {
  const headers = { ...authorization(client.credentials), 'transfer-encoding': 'chunked' };
  const sending = request(new URL(path, client.url), { method: 'PATCH', headers });
  sending.on('error', () => {}); // the server is killed
  sending.write(content);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await delay(50);
  }
  throw new Error('it did not come about');
}
