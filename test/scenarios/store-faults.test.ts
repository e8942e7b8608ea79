/** What clients see, and what stays behind, when a store fails, a disk is full, or a client goes away or dawdles. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { authorization, type Client } from '../../src/client/client.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { limits } from '../../src/lib/limits.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { Connection } from '../support/connections.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { http } from '../support/http.ts';
import { startTestServer, type TestServerOptions } from '../support/server.ts';
import { maySmallDisk, mountSmallDisk } from '../support/small-disk.ts';

const MiB = 1024 * 1024;
const mayMount = await maySmallDisk();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: TestServerOptions = {}) {
  const server = await startTestServer(options);
  cleanups.push(server.close);
  const role = { role: 'maintainer', account: 'acme', repositoryGlob: null } as const;
  const acme = await server.user('acme-ci', 'acme', [role]);
  return { server, acme };
}

async function begin(client: Client): Promise<string> {
  const begun = await http(client, 'POST /v2/acme/shop/blobs/uploads/');
  expect(begun.status).toBe(202);
  return begun.headers.get('location') ?? '';
}

function connectTo({ url }: Client, sent: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  cleanups.push(() => socket.destroy());
  socket.write(sent);
  return socket;
}

const rangeOf = async (client: Client, location: string) =>
  (await http(client, `GET ${location}`)).headers.get('range');

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await delay(20);
  }
  throw new Error('it did not come about');
}

describe('a blob store that can’t be reached', () => {
  it('is 503 with Retry-After at every door, shows nothing half, and takes the upload on when it is back', async () => {
    const blobs = new FaultyStore(await openMemoryStore({ region: 'local' }));
    const { acme } = await start({ blobs });
    const content = randomBytes(100_000);
    const digest = digestOf(content);
    const blob = `/v2/acme/shop/blobs/${digest}`;
    const location = await begin(acme);
    const isAway = async (answer: Response) => {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(await answer.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
    };
    blobs.fail('append', { afterBytes: 40_000 });
    await isAway(await http(acme, `PATCH ${location}`, { body: content }));
    expect(await rangeOf(acme, location)).toBe('0-39999');
    const headers = { 'content-range': '40000-99999' };
    const rest = { headers, body: content.subarray(40_000) };
    expect((await http(acme, `PATCH ${location}`, rest)).status).toBe(202);
    blobs.fail('commit');
    await isAway(await http(acme, `PUT ${location}?digest=${digest}`));
    expect((await http(acme, `HEAD ${blob}`)).status).toBe(404);
    expect((await http(acme, `PUT ${location}?digest=${digest}`)).status).toBe(201);
    blobs.fail('read');
    await isAway(await http(acme, `GET ${blob}`));
    expect(Buffer.from(await (await http(acme, `GET ${blob}`)).arrayBuffer()).equals(content)).toBe(true);
  });
});

describe('a client that goes away in the middle of an upload', () => {
  it('leaves what came, durable and invisible, to go on from', async () => {
    const { acme } = await start();
    const content = randomBytes(3 * MiB);
    const location = await begin(acme);
    const sending = request(new URL(location, acme.url), {
      method: 'PATCH',
      headers: { ...authorization(acme.credentials), 'content-length': content.byteLength },
    });
    sending.on('error', () => {});
    sending.write(content.subarray(0, 2 * MiB), () => sending.destroy());
    await new Promise((resolve) => sending.once('close', resolve));
    await until(async () => (await rangeOf(acme, location)) === `0-${2 * MiB - 1}`);
    const digest = digestOf(content);
    expect((await http(acme, `HEAD /v2/acme/shop/blobs/${digest}`)).status).toBe(404);
    const closing = `PUT ${location}?digest=${digest}`;
    expect((await http(acme, closing, { body: content.subarray(2 * MiB) })).status).toBe(201);
  });
});

describe('a client whose body is refused before its end', () => {
  it('can send the rest, which is dropped, and ask for something else on the same connection', async () => {
    const { acme } = await start();
    const connection = new Connection(acme);
    cleanups.push(() => connection.close());
    const body = Buffer.alloc(limits.manifestBytesMax + 8 * MiB);
    const refused = await connection.ask('PUT /v2/acme/shop/manifests/1', { body });
    expect(refused.status).toBe(413);
    expect((await connection.ask('GET /v2/')).status).toBe(200);
  });

  it('finds the answer when it only looks after it has sent much more, and is hung up on at last', async () => {
    const clock = new ManualClock();
    const { acme } = await start({ clock });
    const { authorization: header } = authorization(acme.credentials);
    const head = `PUT /v2/acme/shop/manifests/1 HTTP/1.1\r\nhost: x\r\nauthorization: ${header}`;
    const asked = `${head}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`;
    const socket = connectTo(acme, asked).pause();
    const send = () => new Promise((resolve) => socket.write(`100000\r\n${'x'.repeat(MiB)}\r\n`, resolve));
    for (let sent = 0; sent < 64; sent += 1) expect(await send()).toBeFalsy();
    const [answer] = await once(socket.resume(), 'data');
    expect(String(answer)).toContain('413 Payload Too Large');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    while (!(await send())) clock.advance(limits.requestWindowMs / 2);
    await closed;
  });
});

describe('a client that sends next to nothing', () => {
  /** @returns the answer to a request whose body ends after 1,000 of 50,000 bytes */
  async function slow(client: Client, clock: ManualClock, line: string, content: Buffer) {
    const [method, path = ''] = line.split(' ');
    const headers = { ...authorization(client.credentials), 'content-length': content.byteLength };
    const sending = request(new URL(path, client.url), { method, headers });
    const answered: Promise<IncomingMessage[]> = once(sending, 'response');
    sending.on('error', () => {});
    sending.write(content.subarray(0, 1_000));
    // In small steps: the answer must be out before the window after it has passed as well, which ends the connection.
    const timer = setInterval(() => clock.advance(limits.requestWindowMs / 20), 50);
    cleanups.push(() => clearInterval(timer));
    const [answer] = await answered;
    clearInterval(timer);
    answer?.resume();
    return answer;
  }

  it.each(['PUT /v2/acme/shop/manifests/1', 'POST /v2/token'])('is told so with 408: %s', async (line) => {
    const clock = new ManualClock();
    const { acme } = await start({ clock });
    const answer = await slow(acme, clock, line, randomBytes(50_000));
    expect([answer?.statusCode, answer?.headers.connection]).toEqual([408, 'close']);
  });

  it('is told so with 408 at an upload, and can go on with what came', async () => {
    const clock = new ManualClock();
    const { acme } = await start({ clock });
    const content = randomBytes(50_000);
    const location = await begin(acme);
    const answer = await slow(acme, clock, `PATCH ${location}`, content);
    expect([answer?.statusCode, answer?.headers.connection]).toEqual([408, 'close']);
    expect(await rangeOf(acme, location)).toBe('0-999');
    const closing = `PUT ${location}?digest=${digestOf(content)}`;
    expect((await http(acme, closing, { body: content.subarray(1_000) })).status).toBe(201);
  });

  it('loses its connection where nobody waits for the body', async () => {
    const clock = new ManualClock();
    const { acme, server } = await start({ clock });
    const { authorization: header } = authorization(server.admin.credentials);
    const head = `content-type: application/json\r\nauthorization: ${header}\r\ncontent-length: 100`;
    const socket = connectTo(acme, `POST /api/v1/accounts HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n{`);
    const timer = setInterval(() => clock.advance(limits.requestWindowMs), 50);
    cleanups.push(() => clearInterval(timer));
    await once(socket.resume(), 'close');
  });

  it('loses its connection when it was answered before, and still sends', async () => {
    const clock = new ManualClock();
    const { acme } = await start({ clock });
    const head = 'PUT /v2/acme/shop/manifests/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{';
    const socket = connectTo(acme, head);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('401 Unauthorized');
    const timer = setInterval(() => clock.advance(limits.requestWindowMs), 50);
    cleanups.push(() => clearInterval(timer));
    await once(socket.resume(), 'close');
    expect(clock.sleeping).toBe(0);
  });
});

describe.skipIf(!mayMount)('a disk that is full (needs the right to mount)', () => {
  async function small(sizeMiB: number, files?: number) {
    const disk = await mountSmallDisk(sizeMiB, files);
    cleanups.push(disk.remove);
    const freeBytes = async () => {
      const { bavail, bsize } = await statfs(disk.folder);
      return bavail * bsize;
    };
    return { folder: disk.folder, freeBytes };
  }

  it('is 503 for the upload that fills it, gives its room back, and takes what fits', async () => {
    const disk = await small(16);
    const { acme } = await start({ environment: { LAZARET_BLOBS_FOLDER: join(disk.folder, 'blobs') } });
    const location = await begin(acme);
    expect((await http(acme, `PATCH ${location}`, { body: randomBytes(MiB) })).status).toBe(202);
    const free = await disk.freeBytes();
    const refused = await http(acme, `PATCH ${location}`, { body: randomBytes(30 * MiB) });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.json()).toMatchObject({ errors: [{ message: expect.stringContaining('full') }] });
    expect(await rangeOf(acme, location)).toBe(`0-${MiB - 1}`);
    expect(await disk.freeBytes()).toBe(free);
    const whole = randomBytes(30 * MiB);
    const monolithic = `POST /v2/acme/shop/blobs/uploads/?digest=${digestOf(whole)}`;
    expect((await http(acme, monolithic, { body: whole })).status).toBe(503);
    expect(await disk.freeBytes()).toBe(free);
    const fits = randomBytes(8 * MiB);
    const closed = await http(acme, `POST /v2/acme/shop/blobs/uploads/?digest=${digestOf(fits)}`, {
      body: fits,
    });
    expect(closed.status).toBe(201);
  });

  it('is 503 for the upload that is closed when there is room for no file, which is closed when there is', async () => {
    const disk = await small(16, 100);
    const { acme } = await start({ environment: { LAZARET_BLOBS_FOLDER: join(disk.folder, 'blobs') } });
    const location = await begin(acme);
    const content = randomBytes(MiB);
    expect((await http(acme, `PATCH ${location}`, { body: content })).status).toBe(202);
    const ballast: string[] = [];
    const fits = (file: string) =>
      writeFile(file, '').then(
        () => ballast.push(file),
        () => 0,
      );
    while ((await fits(join(disk.folder, `ballast-${ballast.length}`))) > 0);
    const digest = digestOf(content);
    const refused = await http(acme, `PUT ${location}?digest=${digest}`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '60']);
    expect((await http(acme, `HEAD /v2/acme/shop/blobs/${digest}`)).status).toBe(404);
    expect(await rangeOf(acme, location)).toBe(`0-${MiB - 1}`);
    for (const file of ballast) await rm(file);
    expect((await http(acme, `PUT ${location}?digest=${digest}`)).status).toBe(201);
    const pulled = await http(acme, `GET /v2/acme/shop/blobs/${digest}`);
    expect(digestOf(Buffer.from(await pulled.arrayBuffer()))).toBe(digest);
  });

  it('of the metadata is 503 as well, and over when there is room again', async () => {
    const disk = await small(16);
    const { acme } = await start({
      environment: { LAZARET_DATABASE_URL: `sqlite://${join(disk.folder, 'metadata.sqlite')}` },
    });
    const ballast = join(disk.folder, 'ballast');
    await writeFile(ballast, Buffer.alloc(32 * MiB)).catch(() => {});
    const answers = new Set<number>();
    for (let tries = 0; tries < 300 && !answers.has(503); tries += 1)
      answers.add((await http(acme, 'POST /v2/acme/shop/blobs/uploads/')).status);
    expect([...answers].filter((status) => status !== 202)).toEqual([503]);
    await rm(ballast);
    await begin(acme);
  });
});
