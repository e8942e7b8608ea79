import type { FastifyReply } from 'fastify';
import type { BlobContent, ByteRange } from '../../blobs/blob-store.ts';
import { causeChain } from '../../lib/errors.ts';

/** What is sent of a blob. */
export interface Part {
  readonly sizeBytes: number;
  /** undefined: the whole. */
  readonly range: ByteRange | undefined;
}

/**
 * Sends a blob, or a part of it, with the headers that are set and those that say which part. Each chunk goes to the
 * connection itself, so that a store which can pump uses its memory again once it was written; backpressure is the
 * connection's own. The answer ends with its last byte: its client may ask for the next thing on this connection, while
 * the store still closes a file.
 *
 * The answer begins with the first chunk. What fails before is thrown, and answered like any other error; when it fails
 * midway the connection ends: the client sees that bytes are missing.
 */
export function sendContent(
  reply: FastifyReply,
  { stream, pump }: Pick<BlobContent, 'stream' | 'pump'>,
  part: Part,
): Promise<FastifyReply> {
  const { raw, log } = reply;
  const begun = Promise.withResolvers<FastifyReply>();
  let leftBytes = lengthOf(part);
  const written = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      if (!reply.sent) begun.resolve(begin(reply, part));
      leftBytes -= chunk.byteLength;
      raw.write(chunk, (error) => (error ? reject(error) : resolve()));
      if (leftBytes === 0) raw.end();
    });
  const sent = async () => {
    await (pump?.(written) ?? eachOf(stream, written));
    if (leftBytes > 0) throw new Error(`the store gave ${leftBytes} bytes less than it has`);
    if (!reply.sent) begun.resolve(begin(reply, part)); // an empty blob
    raw.end();
  };
  sent().catch((error: unknown) => {
    if (!reply.sent) return begun.reject(error);
    if (!raw.destroyed) log.warn({ error: causeChain(error) }, 'a blob was not sent to its end');
    raw.destroy();
  });
  return begun.promise;
}

function begin(reply: FastifyReply, part: Part): FastifyReply {
  const { sizeBytes, range } = part;
  reply.header('content-length', String(lengthOf(part)));
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
  const { raw } = reply.hijack();
  raw.statusCode = reply.statusCode;
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  return reply;
}

function lengthOf({ sizeBytes, range }: Part): number {
  return range ? range.end - range.start + 1 : sizeBytes;
}

async function eachOf(
  stream: AsyncIterable<Uint8Array>,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  for await (const chunk of stream) await take(chunk);
}
