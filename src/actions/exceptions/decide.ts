import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import {
  type Exception,
  exceptionLocked,
  exceptionsAdd,
  exceptionsDecide,
  type NewException,
} from '../../records/exceptions/exceptions.ts';

/** One that somebody who may decide says in person: it counts at once. */
export async function exceptionAdd(
  database: Database,
  terms: Omit<NewException, 'state' | 'source'>,
  actor: string,
): Promise<Exception> {
  return database.transact(async (tx) => {
    const [name = ''] = await exceptionsAdd(tx, [{ ...terms, state: 'accepted', source: null }], actor);
    return exceptionLocked(tx, name);
  });
}

export interface DecideAsk {
  readonly name: string;
  readonly actor: string;
  readonly because: string | null;
  /** Of an acceptance: until when; undefined: as it is proposed. */
  readonly expiresAt?: number | null | undefined;
}

/** @throws notFound, conflict for one that is not proposed */
export function exceptionAccept(database: Database, ask: DecideAsk): Promise<Exception> {
  return decide(database, { ...ask, state: 'accepted', from: ['proposed'] });
}

/** @throws notFound, conflict for one that is over */
export function exceptionWithdraw(database: Database, ask: DecideAsk): Promise<Exception> {
  return decide(database, { ...ask, state: 'withdrawn', from: ['proposed', 'accepted'] });
}

async function decide(
  database: Database,
  ask: DecideAsk & {
    readonly state: 'accepted' | 'withdrawn';
    readonly from: readonly Exception['state'][];
  },
): Promise<Exception> {
  const { name, actor, state, from, because, expiresAt } = ask;
  return database.transact(async (tx) => {
    const exception = await exceptionLocked(tx, name);
    if (!from.includes(exception.state))
      throw new LazaretError('conflict', `${name} is ${exception.state}`, {
        detail: { state: exception.state },
      });
    await exceptionsDecide(tx, [exception], { state, actor, because, expiresAt });
    return exceptionLocked(tx, name);
  });
}
