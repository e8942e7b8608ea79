import type { FastifyRequest } from 'fastify';
import type { ByteSource } from '../../lib/streams.ts';

/** The bytes of a request. Who stops reading early does not end the connection: the answer still has to go out. */
export function requestBody(request: FastifyRequest): ByteSource {
  return { [Symbol.asyncIterator]: () => request.raw.iterator({ destroyOnReturn: false }) };
}
