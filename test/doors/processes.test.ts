/**
 * Two server processes of one region, on one PostgreSQL and one blob store: what one of them acknowledges the other knows,
 * for tokens that were given before too, and what is being sent is cut by whichever sends it.
 */
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { authorization, type Client } from '../../src/client/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { lazaret } from '../support/command-line.ts';
import { pushImage } from '../support/distribution-world.ts';
import { http } from '../support/http.ts';
import { freshDatabase, template } from '../support/postgres.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let one: TestServer;
let other: TestServer;
let reader: Client;
let maintainer: Client;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const { url, drop } = await freshDatabase({ from: template });
  ends.push(drop);
  const blobs = await openMemoryStore({ region: 'local' });
  const start = async () => {
    const database = await openDatabase({ kind: 'postgres', url }, { region: 'local', clock: systemClock });
    ends.push(() => database.close());
    const server = await startTestServer({ database, blobs });
    ends.push(server.close);
    return server;
  };
  one = await start();
  other = await start();
  maintainer = await one.user('acme-ci', 'acme', [
    { role: 'maintainer', account: 'acme', repositoryGlob: null },
  ]);
  reader = await one.user('jo', 'acme', [{ role: 'reader', account: 'acme', repositoryGlob: null }]);
}, 120_000);
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

it('what one process has acknowledged the other refuses, to tokens given before too', async () => {
  for (let round = 0; round < 8; round++) {
    const image = await pushImage(maintainer, `acme/shop:r${round}`);
    const token = await tokenOf(at(other, reader), 'acme/shop');
    const lines = [
      `GET /v2/acme/shop/manifests/r${round}`,
      `GET /v2/acme/shop/manifests/${image.digest}`,
      `GET /v2/acme/shop/blobs/${image.layer}`,
    ];
    const statuses = () => Promise.all(lines.map(async (line) => (await http(token, line)).status));
    expect(await statuses()).toEqual([200, 200, 200]);
    await quarantined(image.layer);
    expect(await statuses()).toEqual([403, 403, 403]);
  }
});

it('pulls that go on while it is being set end with it: none that starts after the answer is served', async () => {
  const image = await pushImage(maintainer, 'acme/shop:storm');
  const line = `GET /v2/acme/shop/blobs/${image.layer}`;
  let acknowledged = false;
  const late: number[] = [];
  const storm = async (server: TestServer) => {
    for (let after = 0; after < 10; ) {
      const startedLate = acknowledged;
      const { status } = await http(at(server, reader), line);
      if (startedLate) late.push(status);
      if (startedLate) after += 1;
    }
  };
  const storms = Promise.all([storm(one), storm(other), storm(other)]);
  await quarantined(image.layer);
  acknowledged = true;
  await storms;
  expect(new Set(late)).toEqual(new Set([403]));
});

it('what the other process is sending is cut', async () => {
  const content = Buffer.alloc(48 * 1024 * 1024, 'more than the buffers hold ');
  const digest = digestOf(content);
  const path = `/v2/acme/shop/blobs/uploads/?digest=${digest}`;
  expect((await http(maintainer, `POST ${path}`, { body: content })).status).toBe(201);
  const slow = await begun(at(other, reader), `/v2/acme/shop/blobs/${digest}`);
  await other.drain();
  await quarantined(digest);
  await other.drain();
  expect(await lengthOf(slow)).toBeLessThan(content.length);
});

function at({ url }: TestServer, client: Client): Client {
  return { ...client, url };
}

async function tokenOf(client: Client, repository: string): Promise<Client> {
  const answer = await http(client, `GET /v2/token?scope=repository:${repository}:pull`);
  const { token }: { token: string } = JSON.parse(await answer.text());
  return { url: client.url, credentials: { kind: 'bearer', token } };
}

/** By the first process. */
async function quarantined(layer: string): Promise<void> {
  const plan = JSON.parse(
    (await lazaret(one.admin, 'quarantine', 'plan', '--layer', layer, '-o', 'json')).text,
  );
  await lazaret(one.admin, 'quarantine', 'apply', plan.name, '--reason', 'INC-42');
}

function begun(client: Client, path: string): Promise<IncomingMessage> {
  const asked = request(new URL(path, client.url), { headers: authorization(client.credentials) });
  return new Promise((resolve, reject) => {
    asked.once('response', resolve).once('error', reject).end();
  });
}

async function lengthOf(answer: IncomingMessage): Promise<number> {
  let received = 0;
  try {
    for await (const chunk of answer) received += Buffer.byteLength(chunk);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  }
  return received;
}
