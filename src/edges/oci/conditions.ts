import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ByteRange } from '../../blobs/blob-store.ts';
import { LazaretError } from '../../lib/errors.ts';

/** Conditional and range requests (RFC 9110, sections 13 and 14). */

/** Asked only after the door: what is refused is never 304. */
export function etagMatches(request: FastifyRequest, digest: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(`"${digest}"`);
}

/**
 * The one range that is asked for; several at once, or what is no range of bytes, are answered with the whole.
 * @throws rangeInvalid, with the size in Content-Range
 */
export function rangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  sizeBytes: number,
): ByteRange | undefined {
  const [matched, first = '', last = ''] =
    /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers.range ?? '') ?? [];
  if (matched === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start <= end) return { start, end };
  reply.header('content-range', `bytes */${sizeBytes}`);
  throw new LazaretError('rangeInvalid', `the blob has ${sizeBytes} bytes`, { detail: { sizeBytes } });
}
