import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TokenScope } from '../../actions/access/tokens.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { parseRepositoryName, type RepositoryName } from '../../oci/reference.ts';
import { accountEnsure, accountId } from '../../records/access/accounts.ts';
import { isOperator, permits } from '../../records/access/permits.ts';
import { type PullRight, pullRight } from '../../records/access/pull-right.ts';
import type { Database } from '../../records/db/database.ts';
import type { OciCall, OciDeps } from './call.ts';

/**
 * Who may do what with a repository, decided from rows in each request. A repository that the caller may not see
 * answers as if it did not exist: 401 for someone unknown, 404 for someone known. Who may pull but not push is told so
 * by 403.
 */
export type OciAction = 'pull' | 'push' | 'delete';

export interface Permitted {
  readonly repository: RepositoryName;
  readonly right: PullRight;
  /** The caller, and its token if it has one, may also push here. */
  readonly mayPush: boolean;
}

/** @throws nameInvalid, unauthorized (with the challenge set on the reply), nameUnknown, denied */
export async function assertMay(call: OciCall, name: string, action: OciAction): Promise<Permitted> {
  const { caller, deps, scopes } = call;
  const repository = parseRepositoryName(name);
  const target = { repository: name, account: repository.account };
  const right = await pullRight(deps.database.read, caller, { repository: name, owner: repository.account });
  const allowed = action === 'pull' ? right.kind !== 'none' : permits(caller, action, target);
  if (!allowed && caller.kind === 'anonymous') throw challenged(call, { name, action }, 'log in first');
  if (!allowed && right.kind === 'none')
    throw new LazaretError('nameUnknown', `there is no repository ${name} that you may use`);
  if (!allowed)
    throw new LazaretError('denied', `${caller.principal} may pull from ${name} but not ${action}`);
  const mayScope = (wanted: OciAction) => scopes === null || inScope(scopes, name, wanted);
  if (!mayScope(action))
    throw challenged(call, { name, action }, `the token is not for this: ${action} in ${name}`);
  return { repository, right, mayPush: permits(caller, 'push', target) && mayScope('push') };
}

/** For what is only done if it may be: no error, no challenge. */
export async function mayPull(call: OciCall, { name, account }: RepositoryName): Promise<PullRight['kind']> {
  if (call.scopes !== null && !inScope(call.scopes, name, 'pull')) return 'none';
  return (await pullRight(call.deps.database.read, call.caller, { repository: name, owner: account })).kind;
}

/**
 * For a mount: what the caller may pull but its token is not for is asked for together with the push, as in one token.
 * That challenge comes whether or not the blob is there, and only for a repository that the caller may see.
 * @throws unauthorized, with both scopes in the challenge
 */
export async function mayMountFrom(
  call: OciCall,
  { from, into }: { readonly from: RepositoryName; readonly into: RepositoryName },
): Promise<PullRight['kind']> {
  const { caller, deps, scopes } = call;
  const right = await pullRight(deps.database.read, caller, { repository: from.name, owner: from.account });
  if (right.kind === 'none' || scopes === null || inScope(scopes, from.name, 'pull')) return right.kind;
  setChallenge(deps, call, `repository:${into.name}:pull,push repository:${from.name}:pull`);
  throw new LazaretError('unauthorized', `the token is not for this: pull from ${from.name}`);
}

/** An account appears with the operator's first push to it; anyone else's must have been created. */
export async function assertMayPush(call: OciCall, name: string): Promise<Permitted> {
  const permitted = await assertMay(call, name, 'push');
  const { account } = permitted.repository;
  const { database, region, primary } = call.deps;
  if (region === primary && isOperator(call.caller) && !(await accountIsHere(database, account)))
    await database.transact((tx) => accountEnsure(tx, account, call.caller.principal));
  return permitted;
}

/** Accounts never go. */
const accountsSeen = new WeakMap<Database, Set<string>>();

async function accountIsHere(database: Database, account: string): Promise<boolean> {
  const seen = accountsSeen.get(database) ?? new Set();
  if (seen.has(account)) return true;
  if ((await accountId(database.read, account)) === undefined) return false;
  if (seen.size < limits.accountsRememberedMax) accountsSeen.set(database, seen.add(account));
  return true;
}

/** Tells the client where to get a token, and for what (distribution's token protocol; RFC 6750). */
export function setChallenge(
  deps: Pick<OciDeps, 'service' | 'config'>,
  exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  scope?: string,
): void {
  const realm = `${publicUrl(deps, exchange.request)}/v2/token`;
  const wanted = scope === undefined ? '' : `,scope="${scope}"`;
  exchange.reply.header('www-authenticate', `Bearer realm="${realm}",service="${deps.service}"${wanted}`);
}

export function publicUrl({ config }: Pick<OciDeps, 'config'>, request: FastifyRequest): string {
  return config.url ?? `${request.protocol}://${request.host}`;
}

function challenged(
  call: OciCall,
  wanted: { readonly name: string; readonly action: OciAction },
  message: string,
): LazaretError {
  const actions = wanted.action === 'push' ? 'pull,push' : wanted.action;
  setChallenge(call.deps, call, `repository:${wanted.name}:${actions}`);
  return new LazaretError('unauthorized', message);
}

function inScope(scopes: readonly TokenScope[], name: string, action: OciAction): boolean {
  return scopes.some(
    (scope) =>
      scope.type === 'repository' &&
      scope.name === name &&
      (scope.actions.includes(action) || scope.actions.includes('*')),
  );
}
