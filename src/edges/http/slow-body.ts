/**
 * A client that begins a request and then sends nothing, or next to nothing, holds a connection and an upload. Every
 * `limits.requestWindowMs` it is looked whether at least `limits.requestWindowBytesMin` came; if not, and it was not we who
 * read slowly, the request ends with requestTimeout: whoever works on it is told through its signal, so that what came is
 * kept as when a client hangs up. Whoever doesn't listen loses the connection at the next look.
 *
 * A client may still send when it has its answer, and reads it only if its connection stays. So what comes then is read and
 * dropped, until the second look.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { endRequest } from './request-signal.ts';

/** Until all of it has come, or its connection has ended. */
export async function watchBody(request: FastifyRequest, reply: FastifyReply, clock: Clock): Promise<void> {
  const { raw } = request;
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = raw.headers;
  if (raw.complete || raw.destroyed || (encoding === undefined && length === '0')) return;
  const ended = new AbortController();
  // Of a body that was read in part Node drops nothing by itself.
  reply.raw.once('close', () => raw.resume());
  raw.once('close', () => ended.abort('ended')); // an error would cost more than the look
  let told = false;
  for (let before = raw.socket.bytesRead; ; before = raw.socket.bytesRead) {
    await clock.sleep(limits.requestWindowMs, ended.signal);
    if (ended.signal.aborted || raw.complete) return;
    const answered = reply.raw.writableEnded;
    const cameBytes = raw.socket.bytesRead - before;
    if (!answered && (cameBytes >= limits.requestWindowBytesMin || raw.readableLength > 0)) continue;
    const seconds = limits.requestWindowMs / 1000;
    const tooSlow = new LazaretError('requestTimeout', `only ${cameBytes} bytes came in ${seconds} s`);
    if (told || !(answered || endRequest(reply.raw, tooSlow))) {
      raw.destroy();
      return;
    }
    told = true;
  }
}
