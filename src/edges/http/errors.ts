import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBodyOf } from '../../contract/errors.ts';
import { causeChain, type ErrorCode, errorCodes, LazaretError } from '../../lib/errors.ts';
import { databaseFailure } from '../../records/db/failure.ts';
import { endsConnection } from './handed-over.ts';

/** The one place where an error becomes a status, headers and a body. What was not expected is logged here, once. */
export type Dialect = 'api' | 'oci';

const retryAfterDefaultS = 5;
/** Room comes when the collector has let go of something, or somebody has done something about it. */
const retryAfterFullS = 60;

export async function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  dialect: Dialect,
): Promise<void> {
  const { raw } = request;
  const known = raw.destroyed && !raw.complete ? hungUp(error) : knownError(error, request.id);
  logError(request, error, known.code);
  const { status } = errorCodes[known.code];
  reply.code(status).header('content-type', 'application/json');
  if (status === 429 || status === 503) reply.header('retry-after', String(retryAfterS(known)));
  if (status === 401 && !reply.hasHeader('www-authenticate'))
    reply.header('www-authenticate', 'Basic realm="lazaret"');
  // What is left of the body will not come; otherwise the connection stays for it, whatever the client asked, or the answer
  // would be lost with what it still sends. It closes what it does not want to keep.
  if (status === 408) reply.header(...endsConnection(request.raw));
  else if (!raw.complete) reply.raw.shouldKeepAlive = true;
  await reply.send(Buffer.from(JSON.stringify(errorBodyOf(known, dialect))));
}

/** Errors of ours as they are; the framework's refusals of a malformed request by status; all else is a defect. */
export function knownError(error: unknown, requestId: string): LazaretError {
  if (error instanceof LazaretError) return error;
  const known = databaseFailure(error);
  if (known) return known;
  const code = codeOfStatus(statusOf(error));
  if (code !== undefined && error instanceof Error)
    return new LazaretError(code, error.message, { cause: error });
  const message = `a defect in Lazaret; the log tells more about request ${requestId}`;
  return new LazaretError('internal', message, { cause: error });
}

/** Nobody reads this answer; it is only for the log. */
function hungUp(cause: unknown): LazaretError {
  return new LazaretError('uploadInvalid', 'the client hung up before its request had ended', { cause });
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

function codeOfStatus(status: number | undefined): ErrorCode | undefined {
  if (status === 413) return 'tooLarge';
  if (status === 404) return 'notFound';
  if (status === 503) return 'unavailable';
  return status !== undefined && status >= 400 && status < 500 ? 'invalid' : undefined;
}

function retryAfterS(error: LazaretError): number {
  const asked = error.detail?.retryAfterS;
  if (typeof asked === 'number') return asked;
  return error.code === 'storeFull' ? retryAfterFullS : retryAfterDefaultS;
}

function logError(request: FastifyRequest, error: unknown, code: ErrorCode): void {
  if (errorCodes[code].status < 500) return;
  const stack = code === 'internal' && error instanceof Error ? { stack: error.stack } : {};
  request.log.error({ code, error: causeChain(error), ...stack }, 'request failed');
}
