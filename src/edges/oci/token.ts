import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseScopes, type TokenScope, tokenIssued, tokenLifeMs } from '../../actions/access/tokens.ts';
import { LazaretError } from '../../lib/errors.ts';
import { collect } from '../../lib/streams.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import { permits } from '../../records/access/permits.ts';
import { pullRight } from '../../records/access/pull-right.ts';
import { requestBody } from '../http/request-body.ts';
import { factsOf } from '../http/request-facts.ts';
import { type OciDeps, queryValues } from './call.ts';

/**
 * The distribution token protocol: GET with Basic credentials, or POST of an OAuth2 form. Rights that the caller lacks
 * are left out of the token; the refusal comes from the resource.
 */
export async function serveToken(
  deps: OciDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = request.method === 'POST' ? await askedByForm(request) : askedByQuery(request);
  const { caller, scopes } = await deps.authenticator.authenticate(asked.authorization);
  factsOf(request).principal = caller.principal;
  if (scopes !== null) throw new LazaretError('unauthorized', 'a token is not exchanged for another one');
  if (caller.kind === 'anonymous' && caller.bindings.length === 0)
    throw new LazaretError('unauthorized', 'log in first: nothing here is open to everyone');
  const granted = await allowedScopes(deps, caller, asked.scopes);
  const token = await tokenIssued(deps, { principal: caller.principal, scopes: granted }, deps.service);
  const issuedAt = new Date(deps.clock.wallMs()).toISOString();
  return reply
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .send(
      JSON.stringify({
        token,
        access_token: token,
        expires_in: tokenLifeMs / 1000,
        issued_at: issuedAt,
        scope: granted.map((scope) => `${scope.type}:${scope.name}:${scope.actions.join(',')}`).join(' '),
      }),
    );
}

interface Asked {
  readonly authorization: string | undefined;
  readonly scopes: readonly TokenScope[];
}

const formBytesMax = 64 * 1024;

function askedByQuery(request: FastifyRequest): Asked {
  return { authorization: request.headers.authorization, scopes: parseScopes(queryValues(request, 'scope')) };
}

async function askedByForm(request: FastifyRequest): Promise<Asked> {
  const form = new URLSearchParams((await collect(requestBody(request), formBytesMax)).toString());
  if (form.get('grant_type') !== 'password')
    throw new LazaretError('unsupported', 'only grant_type=password is known here', {
      detail: { path: 'grant_type' },
    });
  const pair = `${form.get('username') ?? ''}:${form.get('password') ?? ''}`;
  return {
    authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
    scopes: parseScopes(form.getAll('scope')),
  };
}

async function allowedScopes(
  deps: OciDeps,
  caller: Caller,
  scopes: readonly TokenScope[],
): Promise<TokenScope[]> {
  const granted: TokenScope[] = [];
  for (const scope of scopes) {
    const actions = scope.type === 'repository' ? await allowedActions(deps, caller, scope) : [];
    if (actions.length > 0) granted.push({ ...scope, actions });
  }
  return granted;
}

async function allowedActions(deps: OciDeps, caller: Caller, scope: TokenScope): Promise<string[]> {
  const { name, account } = parseRepositoryName(scope.name);
  const target = { repository: name, account };
  const right = await pullRight(deps.database.read, caller, { repository: name, owner: account });
  const wanted = scope.actions.includes('*') ? ['pull', 'push', 'delete'] : scope.actions;
  return wanted.filter((action) => {
    if (action === 'pull') return right.kind !== 'none';
    return (action === 'push' || action === 'delete') && permits(caller, action, target);
  });
}
