import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Clock } from '../lib/clock.ts';
import { LazaretError } from '../lib/errors.ts';
import type { Config } from './config/config.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Where there are several processes each listens on the same port, and the kernel gives every connection to one of them
 * (SO_REUSEPORT). It would give them to the processes of another server as well, so the first one makes sure that it is
 * alone.
 * @returns where clients on this machine reach it: `http://localhost:5000`
 * @throws configInvalid
 */
export async function listen(app: FastifyInstance, { listen: at, http }: Config): Promise<string> {
  const { host, port } = at;
  const reusePort = http.processes > 1;
  noteConnections(app.server);
  try {
    if (reusePort && port !== 0) await assertFree({ host, port });
    const options = { host, port, reusePort, listenTextResolver: () => 'listening' };
    await app.listen(options);
  } catch (cause) {
    await app.close();
    const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const problem = inUse ? 'is taken by another program' : "can't be listened on";
    throw new LazaretError('configInvalid', `${host}:${port} ${problem}`, {
      detail: { path: 'listen.port' },
      cause,
    });
  }
  return `${at.tls ? 'https' : 'http'}://${urlHost(host)}:${portOf(app)}`;
}

/** Beside the process that listens there already. */
export async function listenToo(app: FastifyInstance, { host, port }: Address): Promise<void> {
  const options = { host, port, reusePort: true, listenTextResolver: () => 'listening' };
  await app.listen(options);
}

export function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  assert(typeof address === 'object' && address !== null, 'it listens on a port');
  return address.port;
}

interface ClosingDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: Pick<Config, 'http'>;
}

/** Stops accepting, lets what is in flight end, cuts off what does not within `http.drain`. */
export async function closeApp(app: FastifyInstance, { clock, logger, config }: ClosingDeps): Promise<void> {
  const { drainMs } = config.http;
  const done = new AbortController();
  const deadline = clock.sleep(drainMs, done.signal).then(() => {
    if (done.signal.aborted) return;
    logger.warn({ drainMs }, 'requests were cut off by the shutdown');
    app.server.closeAllConnections();
  });
  const closed = app.close();
  await endUnused(app.server);
  await closed;
  done.abort();
  await deadline;
}

/**
 * A client may have opened a connection ahead of its next request; Node takes that for one in use, and would wait for it.
 * What came already is read first: it may be a request. Connections of readers, which have no address, end with them.
 */
async function endUnused(server: Server): Promise<void> {
  for (let turns = 0; turns < 2; turns++) await setImmediate();
  for (const socket of unused.get(server) ?? []) if (socket.remoteAddress !== undefined) socket.destroy();
}

/** Of each server, the connections on which nothing was asked yet. */
const unused = new WeakMap<Server, Set<Socket>>();

function noteConnections(server: Server): void {
  const sockets = new Set<Socket>();
  unused.set(server, sockets);
  // On TLS a request's socket is the one that comes with `secureConnection`.
  for (const event of ['connection', 'secureConnection'])
    server.on(event, (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  server.on('request', ({ socket }: IncomingMessage) => sockets.delete(socket));
}

async function assertFree(at: Address): Promise<void> {
  const probe = createServer().listen(at);
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}

function urlHost(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
