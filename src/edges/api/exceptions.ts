import type { Static } from 'typebox';
import {
  exceptionAccept as accept,
  exceptionAdd,
  exceptionWithdraw as withdraw,
} from '../../actions/exceptions/decide.ts';
import { importVex } from '../../actions/exceptions/import-vex.ts';
import { assertPrimary } from '../../actions/launch/primary.ts';
import {
  exceptionAccept,
  exceptionCreate,
  exceptionListRoute,
  exceptionShow,
  exceptionWithdraw,
  vexImport,
} from '../../contract/exceptions.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import type { Caller } from '../../records/access/caller.ts';
import type { Database } from '../../records/db/database.ts';
import { type Exception, type ExceptionState, exceptionNamed } from '../../records/exceptions/exceptions.ts';
import { exceptionList } from '../../records/exceptions/lists.ts';
import { canonicalPurl } from '../../vex/covers.ts';
import { accountOfGlob } from './account-of-glob.ts';
import { type BoundRoute, bind } from './bind.ts';
import { maySeeRule } from './rule-rights.ts';
import { accountsSeen, mayDecide, quarantineAccount } from './scope.ts';

export interface ExceptionDeps {
  readonly database: Database;
  readonly region: string;
}

const listed: readonly ExceptionState[] = ['proposed', 'accepted'];
const allStates: readonly ExceptionState[] = [...listed, 'withdrawn', 'expired'];

export function exceptionRoutes({ database, region }: ExceptionDeps): BoundRoute[] {
  const toDecide = async (caller: Caller, name: string): Promise<Exception> => {
    await assertPrimary(database.read, region, 'exceptions');
    quarantineAccount(caller);
    const exception = await exceptionSeen(database, caller, name);
    if (mayDecide(caller, exception.account)) return exception;
    throw new LazaretError('denied', `${name} is the operator's`, { detail: { role: 'security' } });
  };
  return [
    bind(exceptionCreate, async ({ body, caller }) => {
      await assertPrimary(database.read, region, 'exceptions');
      const terms = { ...termsOf(body, quarantineAccount(caller)), author: caller.principal };
      return exceptionAdd(
        database,
        { ...terms, expiresAt: expiryOf(database, body.expires) },
        caller.principal,
      );
    }),
    bind(exceptionListRoute, async ({ query, caller }) => {
      const { state, advisory, after, limit } = query;
      const states = state === undefined ? listed : state === 'all' ? allStates : [state];
      const asked = { accounts: accountsSeen(caller), states, advisory, before: after, limit: limit + 1 };
      const found = await exceptionList(database.read, asked);
      const exceptions = found.slice(0, limit);
      return { exceptions, next: found.length > limit ? (exceptions.at(-1)?.name ?? null) : null };
    }),
    bind(exceptionShow, ({ params, caller }) => exceptionSeen(database, caller, params.name)),
    bind(exceptionAccept, async ({ params, body, caller }) => {
      const { name } = await toDecide(caller, params.name);
      const { because = null, expires } = body;
      const expiresAt = expires === undefined ? undefined : expiryOf(database, expires);
      return accept(database, { name, actor: caller.principal, because, expiresAt });
    }),
    bind(exceptionWithdraw, async ({ params, body, caller }) => {
      const { name } = await toDecide(caller, params.name);
      return withdraw(database, { name, actor: caller.principal, because: body.because ?? null });
    }),
    bind(vexImport, async ({ query, caller, stream }) => {
      await assertPrimary(database.read, region, 'exceptions');
      const account = quarantineAccount(caller);
      const expiresAt = expiryOf(database, query.expires);
      return importVex(database, { document: stream, account, expiresAt, actor: caller.principal });
    }),
  ];
}

/** One of somebody else's is one that there is not. @throws notFound */
async function exceptionSeen(database: Database, caller: Caller, name: string): Promise<Exception> {
  const exception = await exceptionNamed(database.read, name);
  if (exception && maySeeRule(accountsSeen(caller), exception.account)) return exception;
  throw new LazaretError('notFound', `there is no exception '${name}'`);
}

/** @throws invalid, denied for repositories of others */
function termsOf(body: Static<typeof exceptionCreate.body>, account: string | null) {
  const { advisory, status, justification = null, statement = null } = body;
  const { repositoryGlob = null, imageDigest = null } = body;
  if (status === 'not_affected' && justification === null && statement === null)
    throw new LazaretError('invalid', "'not_affected' needs a justification or a statement", {
      detail: { path: 'body.justification' },
    });
  if (repositoryGlob !== null) {
    globMatcher(repositoryGlob);
    if (account !== null && accountOfGlob(repositoryGlob) !== account)
      throw new LazaretError('denied', `${repositoryGlob} is not over repositories of ${account} only`, {
        detail: { path: 'body.repositoryGlob' },
      });
  }
  const purl = body.purl === undefined ? null : canonicalPurl(body.purl, 'body.purl');
  return {
    account,
    advisory,
    aliases: [],
    status,
    justification,
    statement,
    repositoryGlob,
    imageDigest,
    purl,
  };
}

function expiryOf(database: Database, expires: string | undefined): number | null {
  return expires === undefined ? null : database.nowMs() + parseDuration(expires, 'expires');
}
