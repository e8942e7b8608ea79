/** One call of the management API at some server. */
import type { Client } from '../../src/client/client.ts';
import { LazaretError } from '../../src/lib/errors.ts';
import type { Server } from './fleet.ts';
import type { Span } from './quarantines.ts';
import { type Actor, adminOf, anyServer, violate } from './storm.ts';

export type Called<T> =
  | ({ readonly kind: 'answered'; readonly value: T } & Span)
  | ({ readonly kind: 'failed'; readonly error: LazaretError } & Span)
  /** The server was away. */
  | ({ readonly kind: 'lost' } & Span);

export async function api<T>(
  actor: Actor,
  work: (client: Client, server: Server) => Promise<T>,
): Promise<Called<T>> {
  const { storm } = actor;
  const server = anyServer(actor);
  const startedAt = performance.now();
  storm.counts.requests += 1;
  const span = () => ({ startedAt, endedAt: performance.now() });
  try {
    return { kind: 'answered', value: await work(adminOf(storm, server), server), ...span() };
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error;
    if (error.code !== 'unavailable' && error.code !== 'internal')
      return { kind: 'failed', error, ...span() };
    if (error.code === 'internal' || !storm.fleet.wasAway(server, span()))
      violate(storm, `${error.code} from ${server.name}: ${error.message}`);
    return { kind: 'lost', ...span() };
  }
}
