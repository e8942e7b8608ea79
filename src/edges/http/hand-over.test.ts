import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type ClientRequest, type IncomingMessage, type RequestListener, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { handOverFirst } from './hand-over.ts';
import { countedBefore, endsConnection, handedOverServer } from './handed-over.ts';
import { factsOf } from './request-facts.ts';

const MiB = 1024 * 1024;
const closes: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

/** A process that hands everything over to `answer`. */
async function handingOver(answer: RequestListener, clock: Clock = systemClock) {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-hand-'));
  closes.push(() => rm(folder, { recursive: true }));
  const socketPath = join(folder, 'writer.sock');
  const writer = handedOverServer(answer).listen(socketPath);
  await once(writer, 'listening');
  const connections = { count: 0 };
  writer.on('connection', () => {
    connections.count += 1;
  });
  const app = Fastify();
  app.addHook('onRequest', async (asked) => {
    if (asked.url === '/counted') factsOf(asked).counted = true;
  });
  handOverFirst(app, { answersHere: () => false, socketPath, clock });
  app.all('/*', async () => 'never');
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true });
  closes.push(async () => {
    agent.destroy();
    writer.closeAllConnections();
    writer.close();
    app.server.closeAllConnections();
    await app.close();
  });
  const begin = (line: string, headers: Readonly<Record<string, string>> = {}): ClientRequest => {
    const [method, path = ''] = line.split(' ');
    return request(`${url}${path}`, { method, headers, agent });
  };
  return { begin, connections };
}

async function answerOf(asked: ClientRequest): Promise<IncomingMessage> {
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  if (!answer) throw new Error('no answer');
  return answer;
}

const nothing = new Uint8Array();

describe('a request that is handed over', () => {
  it('comes as it was sent, from where it came, and tells whether it has been counted', async () => {
    const { begin } = await handingOver(async (asked, response) => {
      const body = Buffer.concat(await asked.toArray());
      const { remoteAddress } = asked.socket;
      const seen = [asked.method, asked.headers['x-sent'], remoteAddress, String(body), countedBefore(asked)];
      response.end(JSON.stringify(seen));
    });
    for (const path of ['/v2/a', '/counted']) {
      const answer = await answerOf(begin(`PUT ${path}`, { 'x-sent': 'yes' }).end('a body'));
      const seen: unknown = JSON.parse(String(Buffer.concat(await answer.toArray())));
      expect(seen).toEqual(['PUT', 'yes', '127.0.0.1', 'a body', path === '/counted']);
    }
  });

  it('gets its answer before its body has been taken', async () => {
    const { begin } = await handingOver((asked, response) => {
      response.writeHead(413, Object.fromEntries([endsConnection(asked)])).end('too large');
    });
    const asked = begin('PATCH /v2/a', { 'content-length': String(1024 * MiB) });
    asked.on('error', () => undefined); // the connection is closed while it still sends
    asked.write(Buffer.alloc(MiB));
    const answer = await answerOf(asked);
    expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close']);
    expect(String(Buffer.concat(await answer.toArray()))).toBe('too large');
    asked.destroy();
  });

  it('that was answered, and still sends next to nothing, loses its connection', async () => {
    const clock = new ManualClock();
    const { begin } = await handingOver((_asked, response) => response.writeHead(401).end(), clock);
    const asked = begin('PUT /v2/a', { 'content-length': '100' });
    asked.on('error', () => undefined);
    asked.write('half');
    const answer = await answerOf(asked);
    expect(answer.resume().statusCode).toBe(401);
    const timer = setInterval(() => clock.advance(limits.requestWindowMs), 20);
    closes.push(async () => clearInterval(timer));
    await once(answer.socket, 'close');
  });

  it('ends where it is answered when its client hangs up', async () => {
    const came = Promise.withResolvers<IncomingMessage>();
    const { begin } = await handingOver((asked) => came.resolve(asked));
    const asked = begin('PATCH /v2/a', { 'content-length': '100' });
    asked.on('error', () => undefined);
    asked.write('half');
    const there = await came.promise;
    const closed = new Promise((resolve) =>
      there
        .on('error', () => undefined)
        .resume()
        .once('close', resolve),
    );
    asked.destroy();
    await closed;
    expect(there.complete).toBe(false);
  });

  it('is held up where it comes in while it is not read where it is answered', async () => {
    const read = Promise.withResolvers<void>();
    const { begin } = await handingOver(async (asked, response) => {
      await read.promise;
      let bytes = 0;
      for await (const chunk of asked) bytes += Buffer.byteLength(chunk);
      response.end(String(bytes));
    });
    const asked = begin('PATCH /v2/a', { 'content-length': String(64 * MiB) });
    let sent = 0;
    while (asked.writableLength < 4 * MiB && sent < 64) {
      asked.write(Buffer.alloc(MiB));
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(64);
    read.resolve();
    for (; sent < 64; sent += 1) asked.write(Buffer.alloc(MiB));
    asked.end(nothing);
    const answer = await answerOf(asked);
    expect(String(Buffer.concat(await answer.toArray()))).toBe(String(64 * MiB));
  });

  it('shares its connection with those that come after it', async () => {
    const { begin, connections } = await handingOver((asked, response) => {
      asked.resume().once('end', () => response.end('ok'));
    });
    for (let count = 0; count < 5; count += 1) (await answerOf(begin('POST /v2/a').end('x'))).resume();
    await expect.poll(() => connections.count).toBeGreaterThan(0);
    expect(connections.count).toBeLessThanOrEqual(2);
  });
});
