import type { Selectable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { PrincipalTable } from '../db/tables/access.ts';
import { accessChanged, accountEnsure } from './accounts.ts';
import type { Caller, RoleBinding } from './caller.ts';

/** Principals: who can authenticate. What a secret's hash looks like is the concern of the verbs that make and check it. */
export interface Principal {
  readonly id: number;
  readonly uid: string;
  readonly name: string;
  readonly kind: Selectable<PrincipalTable>['kind'];
  readonly account: string | null;
  readonly secretHash: string;
  readonly disabled: boolean;
}

export interface NewPrincipal {
  readonly name: string;
  readonly kind: Principal['kind'];
  readonly account: string | null;
  readonly secretHash: string;
  readonly bindings: readonly RoleBinding[];
}

/** A user name as HTTP Basic can carry it. Those of regions and instances are `region/NAME` and `instance/NAME`. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@/+-]{0,127}$/;

export function principalByName(db: Reader, name: string): Promise<Principal | undefined> {
  return principalWhere(db, 'name', name);
}

export function principalByUid(db: Reader, uid: string): Promise<Principal | undefined> {
  return principalWhere(db, 'uid', uid);
}

/** @returns its uid. @throws invalid, conflict */
export async function principalAdd(tx: Tx, principal: NewPrincipal, actor: string): Promise<string> {
  if (!namePattern.test(principal.name))
    throw new LazaretError('invalid', `'${principal.name}' is not a name of a user or robot`, {
      detail: { path: 'name' },
    });
  if (await principalByName(tx.db, principal.name))
    throw new LazaretError('conflict', `'${principal.name}' exists already`);
  const uid = uuidv7(tx.nowMs);
  const accountId = principal.account === null ? null : await accountEnsure(tx, principal.account, actor);
  const { id } = await tx.db
    .insertInto('principals')
    .values({
      uid,
      name: principal.name,
      kind: principal.kind,
      account_id: accountId,
      secret_hash: principal.secretHash,
      created_at: tx.nowMs,
      disabled_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const binding of principal.bindings) await bindingInsert(tx, id, binding, actor);
  accessChanged(tx, principal.name, actor);
  return uid;
}

/** Makes a principal whose secret is given from outside (a peer region's, from the configuration) be as given. */
export async function principalEnsure(tx: Tx, principal: NewPrincipal, actor: string): Promise<void> {
  const known = await principalByName(tx.db, principal.name);
  if (!known) await principalAdd(tx, principal, actor);
  else if (known.secretHash !== principal.secretHash)
    await principalSecretSet(tx, known.name, principal.secretHash, actor);
}

/** @throws notFound */
export async function principalSecretSet(
  tx: Tx,
  name: string,
  secretHash: string,
  actor: string,
): Promise<void> {
  const { id } = await principalNamed(tx.db, name);
  await tx.db.updateTable('principals').set({ secret_hash: secretHash }).where('id', '=', id).execute();
  accessChanged(tx, name, actor);
}

/** @throws notFound */
export async function principalDisableByName(tx: Tx, name: string, actor: string): Promise<void> {
  const { id } = await principalNamed(tx.db, name);
  await tx.db.updateTable('principals').set({ disabled_at: tx.nowMs }).where('id', '=', id).execute();
  accessChanged(tx, name, actor);
}

/** Adding a binding that is there already changes nothing. @throws notFound */
export async function bindingAdd(tx: Tx, name: string, binding: RoleBinding, actor: string): Promise<void> {
  const principal = await principalNamed(tx.db, name);
  const known = await bindingsOf(tx.db, principal.id);
  const same = (other: RoleBinding) =>
    other.role === binding.role &&
    other.account === binding.account &&
    other.repositoryGlob === binding.repositoryGlob;
  if (known.some(same)) return;
  await bindingInsert(tx, principal.id, binding, actor);
  accessChanged(tx, name, actor);
}

/** The caller that a principal is in this request, from its rows. */
export async function callerOf(db: Reader, principal: Principal): Promise<Caller> {
  const { name, kind, account, id } = principal;
  return { principal: name, kind, account, bindings: await bindingsOf(db, id) };
}

async function principalNamed(db: Reader, name: string): Promise<Principal> {
  const principal = await principalByName(db, name);
  if (principal) return principal;
  throw new LazaretError('notFound', `there is no user or robot '${name}'`);
}

async function principalWhere(
  db: Reader,
  column: 'name' | 'uid',
  value: string,
): Promise<Principal | undefined> {
  const row = await db
    .selectFrom('principals')
    .leftJoin('accounts', 'accounts.id', 'principals.account_id')
    .selectAll('principals')
    .select('accounts.name as account')
    .where(`principals.${column}`, '=', value)
    .executeTakeFirst();
  if (!row) return undefined;
  const { id, uid, name, kind, account, secret_hash: secretHash } = row;
  return { id, uid, name, kind, account, secretHash, disabled: row.disabled_at !== null };
}

async function bindingInsert(
  tx: Tx,
  principalId: number,
  binding: RoleBinding,
  actor: string,
): Promise<void> {
  const accountId = binding.account === null ? null : await accountEnsure(tx, binding.account, actor);
  await tx.db
    .insertInto('role_bindings')
    .values({
      principal_id: principalId,
      role: binding.role,
      account_id: accountId,
      repository_glob: binding.repositoryGlob,
    })
    .execute();
}

async function bindingsOf(db: Reader, principalId: number): Promise<RoleBinding[]> {
  const rows = await db
    .selectFrom('role_bindings')
    .leftJoin('accounts', 'accounts.id', 'role_bindings.account_id')
    .select(['role_bindings.role', 'accounts.name as account', 'role_bindings.repository_glob'])
    .where('role_bindings.principal_id', '=', principalId)
    .orderBy('role_bindings.id')
    .execute();
  return rows.map((row) => ({ role: row.role, account: row.account, repositoryGlob: row.repository_glob }));
}
