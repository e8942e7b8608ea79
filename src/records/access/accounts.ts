import { LazaretError } from '../../lib/errors.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { usageOfAccounts } from './usage.ts';

/** Accounts: customers. `acme/shop` belongs to account `acme`, a name of one part to `default`. */
export interface Account {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Whether everyone may pull from its repositories, also without a name. */
  readonly anonymousPull: boolean;
  /** null: none. */
  readonly quotaBytes: number | null;
  /** Of the distinct blobs that its repositories in this region hold. */
  readonly usedBytes: number;
}

export async function accountRows(db: Reader): Promise<Account[]> {
  const rows = await db.selectFrom('accounts').selectAll().orderBy('name').execute();
  const used = await usageOfAccounts(db);
  return rows.map((row) => ({
    name: row.name,
    createdAt: row.created_at,
    anonymousPull: row.anonymous_pull === 1,
    quotaBytes: row.quota_bytes === null ? null : Number(row.quota_bytes),
    usedBytes: used.get(row.id) ?? 0,
  }));
}

/** The accounts that everyone may pull from. */
export async function accountsOpen(db: Reader): Promise<string[]> {
  const rows = await db.selectFrom('accounts').select('name').where('anonymous_pull', '=', 1).execute();
  return rows.map((row) => row.name);
}

/** @throws notFound */
export async function accountOpenSet(tx: Tx, name: string, open: boolean, actor: string): Promise<void> {
  if ((await accountId(tx.db, name)) === undefined)
    throw new LazaretError('notFound', `there is no account '${name}'`);
  const anonymousPull = open ? 1 : 0;
  await tx.db
    .updateTable('accounts')
    .set({ anonymous_pull: anonymousPull })
    .where('name', '=', name)
    .execute();
  accessChanged(tx, name, actor);
}

/** What is there already stays, also above it. @param quotaBytes null: none @throws notFound */
export async function accountQuotaSet(
  tx: Tx,
  name: string,
  quotaBytes: number | null,
  actor: string,
): Promise<void> {
  if ((await accountId(tx.db, name)) === undefined)
    throw new LazaretError('notFound', `there is no account '${name}'`);
  await tx.db.updateTable('accounts').set({ quota_bytes: quotaBytes }).where('name', '=', name).execute();
  const data = { account: name, quotaBytes };
  tx.emit({ type: 'account.changed', lane: 'local', account: name, subject: name, actor, data });
}

export async function accountId(db: Reader, name: string): Promise<number | undefined> {
  return (await db.selectFrom('accounts').select('id').where('name', '=', name).executeTakeFirst())?.id;
}

/** @throws invalid for a name that no repository could begin with; conflict if it exists */
export async function accountAdd(tx: Tx, name: string, actor: string): Promise<Account> {
  if (await accountId(tx.db, name)) throw new LazaretError('conflict', `account '${name}' exists already`);
  await accountEnsure(tx, name, actor);
  return { name, createdAt: tx.nowMs, anonymousPull: false, quotaBytes: null, usedBytes: 0 };
}

/** The account of a first push, or of a row that another region sent. @throws invalid */
export async function accountEnsure(tx: Tx, name: string, actor: string): Promise<number> {
  const known = await accountId(tx.db, name);
  if (known !== undefined) return known;
  assertAccountName(name);
  await tx.db
    .insertInto('accounts')
    .values({ name, created_at: tx.nowMs })
    .onConflict((c) => c.column('name').doNothing())
    .execute();
  accessChanged(tx, name, actor);
  const { id } = await tx.db
    .selectFrom('accounts')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return id;
}

/** Tells followers to fetch the snapshot of who may do what, and this server to forget what it remembers. */
export function accessChanged(tx: Tx, subject: string, actor: string): void {
  tx.emit({ type: 'access.changed', lane: 'content', subject, actor, data: {} });
}

function assertAccountName(name: string): void {
  if (!name.includes('/')) {
    parseRepositoryName(name);
    return;
  }
  throw new LazaretError('invalid', `'${name}' is not an account's name: it has a '/'`, {
    detail: { path: 'name' },
  });
}
