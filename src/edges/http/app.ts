import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Authenticator } from '../../actions/access/authenticate.ts';
import type { Clock } from '../../lib/clock.ts';
import { causeChain, LazaretError } from '../../lib/errors.ts';
import type { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';
import { randomKey } from '../../lib/random.ts';
import { needsWriter } from '../../records/db/read-only.ts';
import type { BoundRoute } from '../api/bind.ts';
import { answerClientError } from './client-error.ts';
import { type Dialect, sendError } from './errors.ts';
import { type HandOver, handOverFirst, handOverNow } from './hand-over.ts';
import { serveManagement } from './management.ts';
import type { Metrics, ProcessMetrics } from './metrics.ts';
import { factsOf } from './request-facts.ts';
import type { RateTaker } from './request-rate.ts';
import { watchBody } from './slow-body.ts';

export interface AppOptions {
  readonly logger: FastifyBaseLogger;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly metrics: Pick<ProcessMetrics, 'requestEnded'>;
  /** Told of pushes and pulls. */
  readonly foreground: Pick<Foreground, 'begin'>;
  readonly requestRate: RateTaker;
  readonly managementRoutes: readonly BoundRoute[];
  /** null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Addresses and ranges that are believed about where a request comes from. */
  readonly trustedProxies: readonly string[];
  /** Serves what is below /v2, in a scope of its own where bodies stay streams. */
  readonly distribution: (scope: FastifyInstance) => void;
  /** For probes and monitoring. */
  readonly operation?: Operation;
  /** In a process that only reads. */
  readonly handOver?: HandOver;
  /** Aborts when the server begins to shut down. */
  readonly shutdown: AbortSignal;
}

export interface Operation {
  /** Rejects while it is not: a store can't be reached, a process of the server does not serve. */
  readonly ready: () => Promise<void>;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** A load balancer keeps a connection 60 s by default; ours must outlive it, or requests get lost in between. */
const keepAliveMs = 72_000;
const pathPartLengthMax = 1_000;
const handshakeMs = 15_000;

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    ...(options.tls
      ? { https: { ...options.tls, minVersion: 'TLSv1.2', handshakeTimeout: handshakeMs } }
      : {}),
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomKey(),
    requestIdHeader: false,
    bodyLimit: limits.apiBodyBytesMax,
    keepAliveTimeout: keepAliveMs,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    // What comes while the server ends was begun before: on a connection that is open, or handed over by a reader.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      const code = dialectOf(request) === 'oci' ? 'nameInvalid' : 'invalid';
      void sendError(
        request,
        reply,
        new LazaretError(code, error.message, { cause: error }),
        dialectOf(request),
      );
    },
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: pathPartLengthMax },
  });
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error, 'api'));
  app.setNotFoundHandler((request, reply) => {
    factsOf(request).route = 'none';
    // The distribution API takes every path below /v2: it is the method that nothing answers.
    const code = request.url.startsWith('/v2/') ? 'unsupported' : 'notFound';
    const error = new LazaretError(code, `nothing is at ${request.method} here`);
    return sendError(request, reply, error, dialectOf(request));
  });
  const { handOver } = options;
  if (handOver) handOverFirst(app, handOver);
  watchRequests(app, options);
  if (options.operation) serveOperation(app, options.operation, options.shutdown);
  await app.register(async (scope) => serveManagement(scope, options.managementRoutes, options));
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, stream, done) => done(null, stream));
    scope.setErrorHandler((error, request, reply) => {
      const elsewhere = handOver && needsWriter(error) && !reply.raw.headersSent;
      return elsewhere ? handOverNow(request, reply, handOver) : sendError(request, reply, error, 'oci');
    });
    options.distribution(scope);
  });
  return app;
}

function dialectOf(request: FastifyRequest): Dialect {
  return request.url.startsWith('/v2') ? 'oci' : 'api';
}

/** Gives each answer its request id, and each request its line in the log and its place in the metrics. */
function watchRequests(app: FastifyInstance, { metrics, foreground, clock, shutdown }: AppOptions): void {
  app.server.headersTimeout = limits.requestHeadersMs;
  app.addHook('onRequest', async (request, reply) => {
    void watchBody(request, reply, clock);
    reply.header('x-request-id', request.id);
    // `close` also comes when the client goes away.
    if (dialectOf(request) === 'oci') reply.raw.once('close', foreground.begin());
  });
  app.addHook('onResponse', async (request, reply) => {
    // Its connection is kept no longer; it counts as idle once this answer has ended.
    if (shutdown.aborted) setImmediate(() => app.server.closeIdleConnections());
    const { principal, route = request.routeOptions.url ?? 'none', handedOver } = factsOf(request);
    if (handedOver) return;
    const { method, url } = request;
    metrics.requestEnded({ method, route, code: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    const ms = Math.round(reply.elapsedTime);
    request.log.info({ method, url, status: reply.statusCode, ms, principal, from: request.ip }, 'request');
  });
}

/** For probes and monitoring, without authentication: they tell nothing about content. */
function serveOperation(app: FastifyInstance, { metrics, ready }: Operation, shutdown: AbortSignal): void {
  app.get('/livez', async () => ({ status: 'live' }));
  app.get('/readyz', async (request, reply) => {
    if (shutdown.aborted) return reply.code(503).send({ status: 'shutting down' });
    try {
      await ready();
      return { status: 'ready' };
    } catch (error) {
      request.log.warn({ error: causeChain(error) }, 'not ready');
      return reply.code(503).send({ status: 'a part of the server does not answer' });
    }
  });
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
}
