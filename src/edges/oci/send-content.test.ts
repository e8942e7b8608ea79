import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { portOf } from '../../server/http-server.ts';
import { sendContent } from './send-content.ts';

const bytes = Buffer.from('layer');

/** One connection for all that is asked. */
async function asking(send: Parameters<typeof sendContent>[1]) {
  const app = Fastify();
  app.get('/blob', (_request, reply) =>
    sendContent(reply, send, { sizeBytes: bytes.length, range: undefined }),
  );
  app.get('/next', () => 'next');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async () => {
    agent.destroy();
    await app.close();
  });
  return async (path: string) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: '127.0.0.1', port: portOf(app), path, agent }, resolve).once('error', reject);
    });
    return text(answer);
  };
}

it.each(['pump', 'stream'] as const)(
  'an answer ends with its last byte, although the store has not closed its file yet (%s)',
  async (kind) => {
    const closed = Promise.withResolvers<void>();
    const pump = async (take: (chunk: Uint8Array) => Promise<void>) => {
      await take(bytes);
      await closed.promise;
    };
    const stream = (async function* () {
      yield bytes;
      await closed.promise;
    })();
    const ask = await asking({ stream, ...(kind === 'pump' ? { pump } : {}) });
    expect(await ask('/blob')).toBe('layer');
    expect(await ask('/next')).toBe('next');
    closed.resolve();
  },
);

it('a store that fails before it gave anything is answered as what it is', async () => {
  const stream = (async function* () {
    yield* [];
    throw new Error('the disk is gone');
  })();
  const ask = await asking({ stream });
  expect(await ask('/blob')).toContain('the disk is gone');
});

it('a store that fails midway ends the connection', async () => {
  const stream = (async function* () {
    yield bytes.subarray(1);
    throw new Error('the disk is gone');
  })();
  const ask = await asking({ stream });
  await expect(ask('/blob')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await ask('/next')).toBe('next');
});
