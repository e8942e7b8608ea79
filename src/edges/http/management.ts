import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../../actions/access/authenticate.ts';
import { errorBodyOf } from '../../contract/errors.ts';
import type { AnyRoute } from '../../contract/route.ts';
import type { Clock } from '../../lib/clock.ts';
import { assertNever, LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import { isOperator } from '../../records/access/permits.ts';
import type { BoundRoute, ByteAnswer } from '../api/bind.ts';
import { knownError, sendError } from './errors.ts';
import { jsonLines } from './lines.ts';
import { requestBody } from './request-body.ts';
import { factsOf } from './request-facts.ts';
import type { RateTaker } from './request-rate.ts';
import { requestSignal } from './request-signal.ts';

export interface ManagementDeps {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly requestRate: RateTaker;
  readonly shutdown: AbortSignal;
}

/** Serves the routes of the management API. */
export function serveManagement(
  app: FastifyInstance,
  routes: readonly BoundRoute[],
  deps: ManagementDeps,
): void {
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error, 'api'));
  app.addContentTypeParser('application/octet-stream', (_request, stream, done) => done(null, stream));
  for (const bound of routes) {
    app.route({
      method: bound.route.method,
      url: bound.route.path,
      handler: (request, reply) => answer(bound, request, reply, deps),
    });
  }
}

async function answer(
  bound: BoundRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ManagementDeps,
): Promise<FastifyReply> {
  const caller = await callerFor(bound.route, request, deps);
  const signal = bringsBytes(bound.route) ? requestSignal(reply) : requestSignal(reply, deps.shutdown);
  const result = await bound.answer({
    params: request.params,
    query: request.query,
    body: bodyOf(bound.route, request.body),
    caller,
    signal,
    stream: bound.route.streamedBody ? requestBody(request) : Readable.from([]),
  });
  return send(bound.route, result, { request, reply, signal, clock: deps.clock });
}

/** Of which there is an end: when the server shuts down it may come to it. Whoever follows, or waits, is told at once. */
function bringsBytes({ answer, streamedBody }: AnyRoute): boolean {
  return answer === 'bytes' || streamedBody === true;
}

async function callerFor(
  route: AnyRoute,
  request: FastifyRequest,
  { authenticator, requestRate }: ManagementDeps,
): Promise<Caller> {
  const { caller, by } = await authenticator.authenticate(request.headers.authorization, request.ip);
  factsOf(request).principal = caller.principal;
  await requestRate.take(caller, request.ip);
  if (by === 'accessToken' && caller.kind !== 'anonymous')
    throw new LazaretError(
      'unauthorized',
      'a token for images is not taken here; give user name and password',
    );
  assertAudience(route, caller);
  return caller;
}

/** @throws unauthorized, denied */
export function assertAudience(route: Pick<AnyRoute, 'audience'>, caller: Caller): void {
  const { audience } = route;
  if (audience === 'anyone') return;
  if (caller.kind === 'anonymous') throw new LazaretError('unauthorized', 'log in first');
  if (audience === 'caller') return;
  const fits = audience === 'operator' ? isOperator(caller) : caller.kind === audience;
  if (!fits) throw new LazaretError('denied', `this is for ${audienceWords[audience]} only`);
}

const audienceWords = { operator: 'administrators', region: 'other regions', instance: 'instances' } as const;

/** Nothing sent is an empty object, so that a route without a body takes both. */
function bodyOf(route: AnyRoute, body: unknown): unknown {
  return route.streamedBody || route.method === 'GET' || body === undefined || body === null ? {} : body;
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

function send(route: AnyRoute, result: unknown, exchange: Exchange): FastifyReply {
  const { reply } = exchange;
  switch (route.answer) {
    case 'json':
      return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(result));
    case 'lines':
      return sendLines(result, exchange);
    case 'bytes':
      return sendBytes(result, reply);
    default:
      return assertNever(route.answer);
  }
}

function sendLines(result: unknown, { request, reply, signal, clock }: Exchange): FastifyReply {
  if (!isIterable(result)) throw new TypeError('a route of lines answered something else');
  const onError = (error: unknown) => {
    const known = knownError(error, request.id);
    if (known.code === 'internal') request.log.error({ err: error }, 'stream failed');
    return JSON.stringify(errorBodyOf(known, 'api'));
  };
  const lines = Readable.from(jsonLines(result, { clock, signal, onError }));
  return reply.header('content-type', 'application/x-ndjson').send(lines);
}

function sendBytes(result: unknown, reply: FastifyReply): FastifyReply {
  if (!isByteAnswer(result)) throw new TypeError('a route of bytes answered something else');
  reply.header('content-type', result.contentType);
  if (result.sizeBytes !== undefined) reply.header('content-length', String(result.sizeBytes));
  return reply.send(Readable.from(result.stream, { objectMode: false }));
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isByteAnswer(value: unknown): value is ByteAnswer {
  return typeof value === 'object' && value !== null && 'stream' in value && isIterable(value.stream);
}
