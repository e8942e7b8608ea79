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
 * The one range that is asked for: `first-last`, `first-` or `-suffix`. Several at once, what is no range of bytes, and a
 * range of other content than If-Range names are answered with the whole; and any of an empty blob, as other registries do:
 * clients that ask for the first bytes of everything get what there is.
 * @throws rangeInvalid, with the size in Content-Range, for a range that holds none of the content, or ends before it begins
 */
export function rangeOf(
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { digest, sizeBytes }: { readonly digest: string; readonly sizeBytes: number },
): ByteRange | undefined {
  const ifRange = request.headers['if-range'];
  if (ifRange !== undefined && ifRange !== `"${digest}"`) return undefined;
  const asked = parseRange(request.headers.range, sizeBytes);
  if (asked !== 'none') return asked;
  reply.header('content-range', `bytes */${sizeBytes}`);
  throw new LazaretError('rangeInvalid', `the blob has ${sizeBytes} bytes`, { detail: { sizeBytes } });
}

/** @returns undefined for the whole; `none` for a range that holds none of `sizeBytes` bytes */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | undefined | 'none' {
  if (sizeBytes === 0) return undefined;
  const [matched, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  if (matched === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return start <= end ? { start, end } : 'none';
}

/** The first and the last byte of a chunk that is sent. */
export interface ChunkRange {
  readonly start: number;
  readonly end: number;
}

/** Content-Range of a chunk: `start-end`, with or without `bytes` and a total. @returns undefined if it is none */
export function parseContentRange(header: string): ChunkRange | undefined {
  const [, start, end] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\*|\d+))?$/.exec(header) ?? [];
  if (start === undefined || end === undefined || Number(end) < Number(start)) return undefined;
  return { start: Number(start), end: Number(end) };
}
