import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticated } from '../../actions/access/authenticate.ts';
import { parseScopes, type TokenScope, tokenIssued, tokenLifeMs } from '../../actions/access/tokens.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { abortable, collect } from '../../lib/streams.ts';
import { parseRepositoryName, type RepositoryName } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import { permits } from '../../records/access/permits.ts';
import { pullRight } from '../../records/access/pull-right.ts';
import { requestBody } from '../http/request-body.ts';
import { factsOf } from '../http/request-facts.ts';
import { requestSignal } from '../http/request-signal.ts';
import { type OciDeps, queryValue, queryValues } from './call.ts';

/**
 * The distribution token protocol: GET with Basic credentials ("Token Authentication Specification"), or POST of a form
 * ("OAuth2 Token Authentication") with a password or a refresh token. Several scopes may be asked for, in one parameter or
 * in several. Rights that the caller lacks are left out of the token; the refusal comes from the resource.
 */
export async function serveToken(
  deps: OciDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = await askedOf({ request, reply });
  const known = await deps.authenticator.authenticate(asked.authorization, request.ip);
  const { caller, by } = known;
  factsOf(request).principal = caller.principal;
  await deps.requestRate.take(caller, request.ip);
  if (by === 'accessToken')
    throw new LazaretError('unauthorized', 'a token is not exchanged for another one');
  if (caller.kind === 'anonymous' && caller.bindings.length === 0)
    throw new LazaretError('unauthorized', 'log in first: nothing here is open to everyone');
  const scopes = await allowedScopes(deps, caller, asked.scopes);
  const answer = await tokenAnswer(deps, { known, scopes, offline: asked.offline });
  return reply
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(answer));
}

interface Asked {
  readonly authorization: string | undefined;
  readonly scopes: readonly TokenScope[];
  /** Whether the client wants something to keep in place of the password. */
  readonly offline: boolean;
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

const formBytesMax = 64 * 1024;

async function askedOf(exchange: Exchange): Promise<Asked> {
  const { request } = exchange;
  if (request.method === 'POST') return askedByForm(exchange);
  if (request.method !== 'GET') throw new LazaretError('unsupported', 'a token is asked for by GET or POST');
  return {
    authorization: request.headers.authorization,
    scopes: parseScopes(queryValues(request, 'scope')),
    offline: queryValue(request, 'offline_token') === 'true',
  };
}

async function askedByForm({ request, reply }: Exchange): Promise<Asked> {
  const body = abortable(requestBody(request), requestSignal(reply));
  const form = new URLSearchParams((await collect(body, formBytesMax)).toString());
  return {
    authorization: authorizationOf(form),
    scopes: parseScopes(form.getAll('scope')),
    offline: form.get('access_type') === 'offline',
  };
}

/** @throws unsupported, which makes containerd ask by GET */
function authorizationOf(form: URLSearchParams): string {
  const kind = form.get('grant_type');
  if (kind === 'refresh_token') return `Bearer ${form.get('refresh_token') ?? ''}`;
  if (kind !== 'password')
    throw new LazaretError('unsupported', 'grant_type must be password or refresh_token', {
      detail: { path: 'grant_type' },
    });
  const pair = `${form.get('username') ?? ''}:${form.get('password') ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

interface Granted {
  readonly known: Authenticated;
  readonly scopes: readonly TokenScope[];
  readonly offline: boolean;
}

/** Who came with a password and wants it gets a refresh token too; nobody prolongs one without the password. */
async function tokenAnswer(deps: OciDeps, { known, scopes, offline }: Granted) {
  const { subject, by } = known;
  const token = await tokenIssued(deps, { ...subject, use: 'access', scopes }, deps.service);
  const refresh =
    offline && by === 'secret'
      ? { refresh_token: await tokenIssued(deps, { ...subject, use: 'identity', scopes: [] }, deps.service) }
      : {};
  return {
    token,
    access_token: token,
    ...refresh,
    token_type: 'Bearer',
    expires_in: tokenLifeMs / 1000,
    issued_at: new Date(deps.clock.wallMs()).toISOString(),
    scope: scopes.map((scope) => `${scope.type}:${scope.name}:${scope.actions.join(',')}`).join(' '),
  };
}

async function allowedScopes(
  deps: OciDeps,
  caller: Caller,
  scopes: readonly TokenScope[],
): Promise<TokenScope[]> {
  const granted: TokenScope[] = [];
  for (const scope of scopes) {
    const actions = await allowedActions(deps, caller, scope);
    if (actions.length > 0) granted.push({ ...scope, actions });
  }
  return granted;
}

async function allowedActions(
  deps: OciDeps,
  caller: Caller,
  { type, name, actions }: TokenScope,
): Promise<readonly string[]> {
  // Everyone may list the catalog, which shows each what they may pull.
  if (type === 'registry') return name === 'catalog' && actions.includes('*') ? ['*'] : [];
  const repository = type === 'repository' ? repositoryOf(name) : undefined;
  if (!repository) return [];
  const target = { repository: name, account: repository.account };
  const asked = { repository: name, owner: repository.account };
  const right = await pullRight(deps.database.read, caller, asked);
  const wanted = actions.includes('*') ? ['pull', 'push', 'delete'] : actions;
  return wanted.filter((action) => {
    if (action === 'pull') return right.kind !== 'none';
    return (action === 'push' || action === 'delete') && permits(caller, action, target);
  });
}

/** undefined: what is no name of a repository is nobody's right, not an error. */
function repositoryOf(name: string): RepositoryName | undefined {
  try {
    return parseRepositoryName(name);
  } catch (error) {
    if (hasCode(error, 'nameInvalid')) return undefined;
    throw error;
  }
}
