import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticated } from '../../actions/access/authenticate.ts';
import { assertNever, hasCode, LazaretError } from '../../lib/errors.ts';
import { countedBefore } from '../http/handed-over.ts';
import { factsOf } from '../http/request-facts.ts';
import { requestSignal } from '../http/request-signal.ts';
import { serveBlob } from './blobs.ts';
import { type OciCall, type OciDeps, sendJson } from './call.ts';
import { serveCatalog, serveReferrers, serveTags } from './lists.ts';
import { serveManifest } from './manifests.ts';
import { type OciPath, parseOciPath } from './path.ts';
import { askedFor, type Refusable, refusedDigest, toldRefusal } from './refusals.ts';
import { setChallenge } from './rights.ts';
import { serveToken } from './token.ts';
import { serveUpload, serveUploads } from './uploads.ts';

/** The distribution-spec's API, one file per resource. Bodies arrive here as streams. */
export function distributionApi(deps: OciDeps): (scope: FastifyInstance) => void {
  return (scope) => {
    const handler = (request: FastifyRequest, reply: FastifyReply) => serve(deps, request, reply);
    const method = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
    scope.route({ method, url: '/v2', handler });
    scope.route({ method, url: '/v2/*', handler });
  };
}

async function serve(deps: OciDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  reply.header('docker-distribution-api-version', 'registry/2.0');
  const path = parseOciPath(decoded(request.url.slice('/v2'.length).split('?', 1)[0] ?? ''));
  factsOf(request).route = `/v2/${path?.kind ?? 'none'}`;
  if (!path) throw new LazaretError('notFound', 'nothing of the distribution API is at this path');
  if (path.kind === 'token') return serveToken(deps, request, reply);
  const call = await callOf(deps, request, reply);
  return dispatch(call, path);
}

async function callOf(deps: OciDeps, request: FastifyRequest, reply: FastifyReply): Promise<OciCall> {
  const head = await deps.database.logHead();
  const { caller, scopes } = await authenticated(deps, { request, reply }, head);
  factsOf(request).principal = caller.principal;
  if (!countedBefore(request.raw)) await deps.requestRate.take(caller, request.ip);
  factsOf(request).counted = true;
  let signal: AbortSignal | undefined;
  return {
    deps,
    request,
    reply,
    caller,
    scopes,
    head,
    get signal() {
      signal ??= requestSignal(reply);
      return signal;
    },
  };
}

async function authenticated(
  deps: OciDeps,
  { request, reply }: Pick<OciCall, 'request' | 'reply'>,
  head: number,
): Promise<Authenticated> {
  try {
    const { authorization } = request.headers;
    return await deps.authenticator.authenticate(authorization, request.ip, head);
  } catch (error) {
    setChallenge(deps, { request, reply });
    throw error;
  }
}

function dispatch(call: OciCall, path: Exclude<OciPath, { kind: 'token' }>): Promise<FastifyReply> {
  switch (path.kind) {
    case 'base':
      return serveBase(call);
    case 'catalog':
      return serveCatalog(call);
    case 'uploads':
      return told(call, path, serveUploads(call, path.name));
    case 'upload':
      return told(call, path, serveUpload(call, path.name, path.id));
    case 'blob':
      return told(call, path, counted(call, path, serveBlob(call, path.name, path.digest)));
    case 'manifest':
      return told(call, path, counted(call, path, serveManifest(call, path.name, path.reference)));
    case 'tags':
      return serveTags(call, path.name);
    case 'referrers':
      return serveReferrers(call, path.name, path.digest);
    default:
      return assertNever(path);
  }
}

type Pullable = Extract<OciPath, { kind: 'blob' | 'manifest' }>;

/** What is served is counted in the ledger. */
async function counted(call: OciCall, path: Pullable, answer: Promise<FastifyReply>): Promise<FastifyReply> {
  await answer;
  if (call.request.method !== 'GET') return call.reply;
  const asked = path.kind === 'blob' ? path.digest : path.reference;
  const digest = String(call.reply.getHeader('docker-content-digest') ?? asked);
  const { principal } = call.caller;
  call.deps.ledger.note({ principal, repository: path.name, digest, verdict: 'served' });
  return call.reply;
}

/** So is what is refused although it is here; and the caller is told as much of it as it may know. */
async function told(call: OciCall, path: Refusable, answer: Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await answer;
  } catch (error) {
    const quarantined = hasCode(error, 'quarantined');
    if (!quarantined && !hasCode(error, 'denied')) throw error;
    const digest = quarantined ? await refusedDigest(call, path) : askedFor(call, path);
    const seen = { principal: call.caller.principal, repository: path.name };
    if (digest !== undefined) call.deps.ledger.note({ ...seen, digest, verdict: 'refused' });
    throw quarantined ? await toldRefusal(call, path, error) : error;
  }
}

/** Says that the API is here, and whether the credentials, or the token, are good (distribution-spec, end-1). */
async function serveBase({ deps, request, caller, scopes, reply }: OciCall): Promise<FastifyReply> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new LazaretError('unsupported', `${request.method} is not for the base`);
  if (caller.kind === 'anonymous' && scopes === null) {
    setChallenge(deps, { request, reply });
    throw new LazaretError('unauthorized', 'log in first');
  }
  return sendJson(reply, {});
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new LazaretError('nameInvalid', 'the path is not valid UTF-8 in percent-encoding', { cause });
  }
}
