import {
  Agent,
  request as ask,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBodyOf } from '../../contract/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { callerHeader, closeHeader, type HandedCaller } from './handed-over.ts';
import { factsOf } from './request-facts.ts';
import { watchBody } from './slow-body.ts';

/**
 * What a process that only reads does with every other request: it goes, as it came, through a unix socket to the process
 * that writes, and its answer comes back the same way. Neither is held: a slow side holds up the other. Whoever hangs up,
 * at either end, hangs up at the other. The request counts, and is logged, where it is answered.
 */
export interface HandOver {
  /** Whether this process answers such a request itself. */
  readonly answersHere: (method: string, url: string) => boolean;
  /** Of the other process. */
  readonly socketPath: string;
  readonly clock: Clock;
}

/** The other process has no limit of its own for these connections, so that none ends while a request is on its way. */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });

export function handOverFirst(app: FastifyInstance, handOver: HandOver): void {
  app.addHook('onRequest', (request, reply, answerHere) => {
    if (handOver.answersHere(request.method, request.url)) answerHere();
    else handOverNow(request, reply, handOver);
  });
}

/** Nothing of the body may have been read, nothing of the answer sent. */
export function handOverNow(
  request: FastifyRequest,
  reply: FastifyReply,
  { socketPath, clock }: HandOver,
): void {
  factsOf(request).handedOver = true;
  reply.hijack();
  const { raw } = request;
  const headers = { ...kept(raw.headers), [callerHeader]: callerOf(request) };
  const { method, url: path } = raw;
  const asked = ask({ socketPath, agent, method, path, headers });
  asked.once('response', (answer) => void passBack(answer, { raw, response: reply.raw }));
  asked.on('error', (cause) => failed(request, reply.raw, cause));
  passOn(raw, asked);
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished || !raw.complete) asked.destroy();
    // As long as there was no answer, the other process has watched.
    void watchBody(request, reply, clock);
  });
}

/** An answer may come, and the connection be closed, before all of the body was taken: what is left of it is dropped. */
function passOn(raw: IncomingMessage, asked: ClientRequest): void {
  raw.pipe(asked);
  asked.once('close', () => {
    raw.unpipe(asked);
    raw.resume();
  });
}

async function passBack(
  answer: IncomingMessage,
  { raw, response }: { readonly raw: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const fields: string[] = [];
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = answer.rawHeaders.slice(at, at + 2);
    if (!ofConnection.has(name.toLowerCase())) fields.push(name, value);
  }
  if (answer.headers[closeHeader] !== undefined) fields.push('connection', 'close');
  else if (!raw.complete) response.shouldKeepAlive = true; // as in `sendError`
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, fields);
  // A failure of either side has destroyed both by now; there is nobody left to tell.
  await pipeline(answer, response).catch(() => undefined);
}

function failed(request: FastifyRequest, response: ServerResponse, cause: Error): void {
  if (response.headersSent || response.destroyed) return;
  request.log.error({ err: cause }, 'a request could not be handed over');
  const error = new LazaretError('unavailable', 'the process that writes does not answer; try again');
  const body = JSON.stringify(errorBodyOf(error, request.url.startsWith('/v2') ? 'oci' : 'api'));
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '5', connection: 'close' });
  response.end(body);
}

/** Of one connection, not of the message (RFC 9110, section 7.6.1). */
const ofConnection = new Set([
  closeHeader,
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

function kept(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const entries = Object.entries(headers).filter(([name]) => !ofConnection.has(name));
  const chunked = headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
  return { ...Object.fromEntries(entries), ...chunked };
}

function callerOf(request: FastifyRequest): string {
  const { socket } = request.raw;
  const caller: HandedCaller = {
    address: socket.remoteAddress ?? '',
    encrypted: 'encrypted' in socket,
    counted: factsOf(request).counted === true,
  };
  return JSON.stringify(caller);
}
