import { sql } from 'kysely';
import type { Reader } from '../db/engine.ts';
import { type Exception, type ExceptionState, exceptionOf } from './exceptions.ts';

export interface ExceptionFilter {
  /** Of these accounts and of the operator; undefined: all. */
  readonly accounts?: readonly string[] | undefined;
  readonly states: readonly ExceptionState[];
  /** Its name, or what else it is called. */
  readonly advisory?: string | undefined;
  /** Only those that are older than the one of this name: the page after. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function exceptionList(db: Reader, filter: ExceptionFilter): Promise<Exception[]> {
  const { accounts, states, advisory, before, limit } = filter;
  let query = db.selectFrom('exceptions').selectAll().where('state', 'in', states);
  if (accounts !== undefined)
    query = query.where((e) =>
      e.or([e('account', 'is', null), ...(accounts.length > 0 ? [e('account', 'in', accounts)] : [])]),
    );
  if (advisory !== undefined) {
    const alias = `%${JSON.stringify(advisory).replace(/[!%_]/g, '!$&')}%`;
    query = query.where((e) =>
      e.or([e('advisory', '=', advisory), sql<boolean>`aliases like ${alias} escape '!'`]),
    );
  }
  if (before !== undefined)
    query = query.where('id', '<', (e) => e.selectFrom('exceptions').select('id').where('name', '=', before));
  return (await query.orderBy('id', 'desc').limit(limit).execute()).map(exceptionOf);
}

/** Accepted ones whose time is over. */
export async function exceptionsDue(
  db: Reader,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): Promise<Exception[]> {
  const rows = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('state', '=', 'accepted')
    .where('expires_at', '<=', nowMs)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(exceptionOf);
}

/** By key. */
export async function exceptionsByKey(
  db: Reader,
  ids: readonly number[],
): Promise<ReadonlyMap<number, Exception>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('exceptions').selectAll().where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [Number(row.id), exceptionOf(row)]));
}

/** Of a document that was imported for an account (null: by the operator), those that are not over. */
export async function exceptionsOfDocument(
  db: Reader,
  { document, account }: { readonly document: string; readonly account: string | null },
): Promise<Exception[]> {
  const rows = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('source_document', '=', document)
    .where('source_manifest', 'is', null)
    .where('account', account === null ? 'is' : '=', account)
    .where('state', 'in', ['proposed', 'accepted'])
    .orderBy('id')
    .execute();
  return rows.map(exceptionOf);
}
