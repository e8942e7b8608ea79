import Fastify, { type FastifyInstance } from 'fastify';
import Type from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, call, callBytes, callLines } from '../../client/client.ts';
import { nothing, type Route, route } from '../../contract/route.ts';
import { ManualClock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { anonymous } from '../../records/access/caller.ts';
import { type BoundRoute, bind } from '../api/bind.ts';
import { serveManagement } from './management.ts';

const opened: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

interface World {
  readonly client: Client;
  readonly clock: ManualClock;
  readonly shutdown: AbortController;
}

/** Serves routes to anyone, on a free port. */
async function serve(...routes: BoundRoute[]): Promise<World> {
  const clock = new ManualClock();
  const shutdown = new AbortController();
  const app = Fastify({ forceCloseConnections: true });
  const subject = { principal: 'anonymous', uid: null, securityVersion: 0 };
  const nobody = { caller: anonymous, by: 'nothing', scopes: null, subject } as const;
  const authenticator = { authenticate: async () => nobody };
  const requestRate = { take: () => undefined };
  serveManagement(app, routes, { authenticator, clock, requestRate, shutdown: shutdown.signal });
  opened.push(app);
  return { client: { url: await app.listen({ host: '127.0.0.1', port: 0 }) }, clock, shutdown };
}

const common = {
  method: 'GET',
  summary: '',
  audience: 'anyone',
  params: nothing,
  query: nothing,
  body: nothing,
} as const;
const count = Type.Object({ n: Type.Integer() });
const counting = route({ ...common, name: 'counting', path: '/count', response: count, answer: 'lines' });

/** Counts up as fast as it is asked, and says how far it came and whether it was ended. */
function endless() {
  const state = { taken: 0, ended: false };
  async function* numbers() {
    try {
      for (let n = 1; ; n++) {
        state.taken = n;
        yield { n };
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, numbers };
}

describe('a route of lines', () => {
  it('takes no more of its source than the client reads, and ends it when the client stops', async () => {
    const { state, numbers } = endless();
    const { client } = await serve(bind(counting, numbers));
    const seen: number[] = [];
    for await (const { n } of callLines(client, counting)) {
      seen.push(n);
      if (n === 3) break;
    }
    expect(seen).toEqual([1, 2, 3]);
    await expect.poll(() => state.ended).toBe(true);
  });

  it('ends when the server shuts down', async () => {
    const waits = bind(counting, async function* ({ signal }) {
      yield { n: 1 };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const { client, shutdown } = await serve(waits);
    const seen: number[] = [];
    for await (const { n } of callLines(client, counting)) {
      seen.push(n);
      shutdown.abort();
    }
    expect(seen).toEqual([1]);
  });

  it('tells of a failure in its last line, with its code', async () => {
    const fails = bind(counting, async function* () {
      yield { n: 1 };
      throw new LazaretError('planStale', 'too late', { detail: { plan: 'P-1' } });
    });
    const { client } = await serve(fails);
    const lines = callLines(client, counting);
    expect((await lines.next()).value).toEqual({ n: 1 });
    await expect(lines.next()).rejects.toMatchObject({ code: 'planStale', detail: { plan: 'P-1' } });
  });
});

describe('a route', () => {
  it('turns the text of paths and queries into what its shapes say', async () => {
    const query = Type.Object({
      limit: Type.Integer({ default: 7 }),
      tag: Type.Array(Type.String(), { default: [] }),
    });
    const params = Type.Object({ name: Type.String() });
    const response = Type.Object({ name: Type.String(), ...query.properties });
    const echo = route({
      ...common,
      name: 'echo',
      path: '/echo/:name',
      params,
      query,
      response,
      answer: 'json',
    });
    const { client } = await serve(bind(echo, (input) => ({ ...input.params, ...input.query })));
    const given = { params: { name: 'acme/shop' }, query: { limit: 3, tag: ['a'] } };
    expect(await call(client, echo, given)).toEqual({ name: 'acme/shop', limit: 3, tag: ['a'] });
    const response2 = await fetch(`${client.url}/echo/x?limit=many`);
    expect(await response2.json()).toMatchObject({
      errors: [{ code: 'invalid', detail: { path: 'query.limit' } }],
    });
  });

  it('streams bytes both ways', async () => {
    const twice: Route<typeof nothing, typeof nothing, typeof nothing, typeof nothing, 'bytes'> = route({
      ...common,
      method: 'POST',
      name: 'twice',
      path: '/twice',
      response: nothing,
      answer: 'bytes',
      streamedBody: true,
    });
    async function* doubled(stream: AsyncIterable<Uint8Array>) {
      for await (const chunk of stream) yield Buffer.concat([chunk, chunk]);
    }
    const { client } = await serve(
      bind(twice, ({ stream }) => ({ contentType: 'application/x-double', stream: doubled(stream) })),
    );
    async function* source() {
      yield Buffer.from('ab');
    }
    const answer = await callBytes(client, twice, {}, { stream: source() });
    expect(answer.contentType).toBe('application/x-double');
    expect(Buffer.concat(await Array.fromAsync(answer.stream)).toString()).toBe('abab');
  });

  it('hides a defect behind the request’s id', async () => {
    const broken = route({ ...common, name: 'broken', path: '/broken', response: nothing, answer: 'json' });
    const { client } = await serve(
      bind(broken, () => {
        throw new TypeError('secret of the house');
      }),
    );
    await expect(call(client, broken)).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/^a defect in Lazaret/),
    });
  });

  it('whose answer has another shape is no server of this version to the client', async () => {
    const odd = route({ ...common, name: 'odd', path: '/odd', response: nothing, answer: 'json' });
    const { client } = await serve(bind(odd, () => ({})));
    const expected = route({ ...common, name: 'odd', path: '/odd', response: count, answer: 'json' });
    await expect(call(client, expected)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
