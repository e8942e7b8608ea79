import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { BlobContent } from '../../blobs/blob-store.ts';
import { causeChain } from '../../lib/errors.ts';

/**
 * Sends a blob, whose headers are set. What a store can pump goes to the connection itself, each chunk's memory used again
 * once it was written; backpressure is the connection's own. When it fails midway the connection ends: the client sees
 * that bytes are missing.
 */
export function sendContent(reply: FastifyReply, { stream, pump }: BlobContent): FastifyReply {
  if (pump === undefined) return reply.send(Readable.from(stream, { objectMode: false }));
  const { raw, log } = reply.hijack();
  raw.statusCode = reply.statusCode;
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  const written = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      raw.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  pump(written).then(
    () => raw.end(),
    (error: unknown) => {
      if (!raw.destroyed) log.warn({ error: causeChain(error) }, 'a blob was not sent to its end');
      raw.destroy();
    },
  );
  return reply;
}
