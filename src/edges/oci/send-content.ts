import type { FastifyReply } from 'fastify';
import type { BlobContent } from '../../blobs/blob-store.ts';
import { causeChain } from '../../lib/errors.ts';

/**
 * Sends a blob, whose headers are set, `content-length` among them. Each chunk goes to the connection itself, so that a
 * store which can pump uses its memory again once it was written; backpressure is the connection's own. The answer ends
 * with its last byte: its client may ask for the next thing on this connection, while the store still closes a file. When
 * it fails midway the connection ends: the client sees that bytes are missing.
 */
export function sendContent(reply: FastifyReply, { stream, pump }: BlobContent): FastifyReply {
  let leftBytes = Number(reply.getHeader('content-length'));
  const { raw, log } = reply.hijack();
  raw.statusCode = reply.statusCode;
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  const written = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      leftBytes -= chunk.byteLength;
      raw.write(chunk, (error) => (error ? reject(error) : resolve()));
      if (leftBytes === 0) raw.end();
    });
  const sent = async () => {
    await (pump?.(written) ?? eachOf(stream, written));
    if (leftBytes > 0) throw new Error(`the store gave ${leftBytes} bytes less than it has`);
    raw.end(); // of an empty blob
  };
  sent().catch((error: unknown) => {
    if (!raw.destroyed) log.warn({ error: causeChain(error) }, 'a blob was not sent to its end');
    raw.destroy();
  });
  return reply;
}

async function eachOf(
  stream: AsyncIterable<Uint8Array>,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  for await (const chunk of stream) await take(chunk);
}
