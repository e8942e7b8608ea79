import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { lazaret } from '../../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushBlob,
} from '../../../test/support/distribution-world.ts';
import { storeWith } from '../../../test/support/faulty-store.ts';
import { http } from '../../../test/support/http.ts';
import { quarantineLayer } from '../../../test/support/regions.ts';
import { stalledTask } from '../../actions/pull/open-streams.ts';
import { openMemoryStore } from '../../blobs/memory.ts';
import { authorization, type Client } from '../../client/client.ts';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { abortable } from '../../lib/streams.ts';
import { digestOf } from '../../oci/digest.ts';
import { refusalCount } from '../../records/access/ledger.ts';

/** Answers that are on their way when a quarantine is set, to a reader that takes its time. */
let world: DistributionWorld;
/** More than the buffers between server and client hold. */
const content = randomBytes(48 * 1024 * 1024);
const digest = digestOf(content);

beforeAll(async () => {
  world = await openDistributionWorld();
  for (const [client, repository] of [
    [world.acme, 'acme/shop'],
    [world.stranger, 'globex/shop'],
  ] as const) {
    const begun = await http(client, `POST /v2/${repository}/blobs/uploads/`);
    const closed = await http(client, `PUT ${begun.headers.get('location')}?digest=${digest}`, {
      body: content,
    });
    expect(closed.status).toBe(201);
  }
});
afterAll(() => world.server.close());

it('a blob that is being sent is dropped when its reader takes nothing for long', async () => {
  const { openStreams } = world.server.context;
  const clock = new ManualClock();
  const task = stalledTask({ openStreams, clock });
  const stalled = await slowly(world.acme, 'acme/shop');
  const looked = async () => {
    await task.run(new AbortController().signal);
    clock.advance(limits.pullStallMs);
    return openStreams.list();
  };
  await expect.poll(looked).toEqual([]);
  expect((await stalled.rest()).received).toBeLessThan(content.length);
});

it('a blob that is being sent is cut when a quarantine reaches it, and elsewhere it is not', async () => {
  const { server } = world;
  const security = await server.user('sam', 'acme', [
    { role: 'security', account: 'acme', repositoryGlob: null },
  ]);
  const slow = await slowly(world.acme, 'acme/shop');
  const other = await slowly(world.stranger, 'globex/shop');
  const plan = ['quarantine', 'plan', '--layer', digest, '-o', 'json'];
  const { name } = JSON.parse((await lazaret(security, ...plan)).text);
  await server.drain();
  await lazaret(security, 'quarantine', 'apply', name, '--reason', 'INC-42');
  await server.drain();
  expect((await slow.rest()).received).toBeLessThan(content.length);
  expect(await other.rest()).toEqual({ received: content.length, found: digest });
  expect((await http(world.acme, `GET /v2/acme/shop/blobs/${digest}`)).status).toBe(403);
  await expect.poll(() => server.context.openStreams.list()).toEqual([]);
});

it('a pull that has sent nothing yet is refused when a quarantine comes to reach its blob', async () => {
  const store = await openMemoryStore({ region: 'local' });
  const asked = Promise.withResolvers<void>();
  const blobs = storeWith(store, {
    read: async (_key, _range, signal) => {
      asked.resolve();
      return { sizeBytes: 5, stream: abortable(silence(), signal) };
    },
  });
  const { server, acme } = await openDistributionWorld({ blobs });
  onTestFinished(server.close);
  const layer = await pushBlob(acme, 'acme/shop', 'layer');
  const pull = http(acme, `GET /v2/acme/shop/blobs/${layer}`, { headers: { range: 'bytes=1-2' } });
  await asked.promise;
  await server.drain(); // the follower has seen the stream
  await quarantineLayer({ name: 'local', ...server.context }, layer);
  await server.drain();
  const refused = await pull;
  expect(refused.status).toBe(403);
  expect(refused.headers.get('content-range')).toBeNull();
  expect(await refused.json()).toMatchObject({ errors: [{ code: 'DENIED' }] });
  await server.drain();
  expect(await refusalCount(server.context.database.read, [layer])).toBe(1);
});

/** A store that does not answer. */
async function* silence(): AsyncGenerator<Uint8Array> {
  await new Promise(() => undefined);
  yield Buffer.of();
}

interface Rest {
  /** In all. */
  readonly received: number;
  /** Their digest. */
  readonly found: string;
}

/** Reads the beginning; `rest` reads on. */
async function slowly(client: Client, repository: string): Promise<{ rest: () => Promise<Rest> }> {
  const headers = authorization(client.credentials);
  const asked = request(new URL(`/v2/${repository}/blobs/${digest}`, client.url), { headers });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject).end();
  });
  expect(answer.statusCode).toBe(200);
  const rest = async () => {
    let received = 0;
    const hash = createHash('sha256');
    try {
      for await (const chunk of answer) {
        received += Buffer.byteLength(chunk);
        hash.update(chunk);
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'ECONNRESET' });
    }
    return { received, found: `sha256:${hash.digest('hex')}` };
  };
  return { rest };
}
