import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../../actions/access/authenticate.ts';
import type { TokenScope } from '../../actions/access/tokens.ts';
import type { PullDeps } from '../../actions/pull/blob-open.ts';
import type { PullLedger } from '../../actions/pull/ledger.ts';
import type { OpenManifests } from '../../actions/pull/manifest-get.ts';
import type { OpenStreams } from '../../actions/pull/open-streams.ts';
import type { PushDeps } from '../../actions/push/upload.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import type { Metrics } from '../http/metrics.ts';
import type { RateTaker } from '../http/request-rate.ts';

/** What the distribution API needs of the server. */
export interface OciDeps extends PushDeps, PullDeps {
  readonly region: string;
  readonly primary: string;
  readonly authenticator: Authenticator;
  readonly service: string;
  readonly requestRate: RateTaker;
  readonly ledger: Pick<PullLedger, 'note'>;
  readonly openStreams: OpenStreams;
  readonly openManifests: OpenManifests;
  readonly metrics: Pick<Metrics, 'uploadEnded'>;
  readonly config: { readonly url: string | null };
}

/** One request below /v2/, its caller known. */
export interface OciCall {
  readonly deps: OciDeps;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  /** What the caller's token is for; null: no token. */
  readonly scopes: readonly TokenScope[] | null;
  /** The log's head, read in this request before anything else was. */
  readonly head: number;
  readonly signal: AbortSignal;
}

/** Bytes, since text would be sent with a charset, which is no part of these media types. */
export function sendJson(reply: FastifyReply, value: unknown, mediaType = 'application/json'): FastifyReply {
  return reply.header('content-type', mediaType).send(Buffer.from(JSON.stringify(value)));
}

/** The query's first value of that name. */
export function queryValue(request: FastifyRequest, name: string): string | undefined {
  return queryValues(request, name)[0];
}

/** @throws invalid for a NUL, which no name has, and the engines do not look for */
export function queryValues(request: FastifyRequest, name: string): readonly string[] {
  const values = new URL(request.url, 'http://any').searchParams.getAll(name);
  if (values.some((value) => value.includes('\0')))
    throw new LazaretError('invalid', `${name} has a NUL`, { detail: { path: `query.${name}` } });
  return values;
}
