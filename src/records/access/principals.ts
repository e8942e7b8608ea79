import type { Selectable, Updateable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { PrincipalTable } from '../db/tables/access.ts';
import { accessChanged, accountEnsure } from './accounts.ts';
import { anonymous, type Caller, type RoleBinding } from './caller.ts';

/** Principals: who can authenticate. What a secret's hash looks like is the concern of the verbs that make and check it. */
export interface Principal {
  readonly id: number;
  readonly uid: string;
  readonly name: string;
  readonly kind: Selectable<PrincipalTable>['kind'];
  readonly account: string | null;
  readonly secretHash: string;
  readonly disabled: boolean;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null;
  /** What a token was made for under another version is refused. */
  readonly securityVersion: number;
}

export interface NewPrincipal {
  readonly name: string;
  readonly kind: Principal['kind'];
  readonly account: string | null;
  readonly secretHash: string;
  readonly bindings: readonly RoleBinding[];
  readonly expiresAt?: number | null;
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
  if (!namePattern.test(principal.name) || principal.name === anonymous.principal)
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
      expires_at: principal.expiresAt ?? null,
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
export function principalSecretSet(tx: Tx, name: string, secretHash: string, actor: string): Promise<void> {
  return principalChange(tx, name, { secret_hash: secretHash }, actor);
}

/** @param expiresAt milliseconds since 1970; null: never. @throws notFound */
export function principalExpirySet(
  tx: Tx,
  name: string,
  expiresAt: number | null,
  actor: string,
): Promise<void> {
  return principalChange(tx, name, { expires_at: expiresAt }, actor);
}

/** @throws notFound */
export function principalDisableByName(tx: Tx, name: string, actor: string): Promise<void> {
  return principalChange(tx, name, { disabled_at: tx.nowMs }, actor);
}

/** @throws notFound */
export function principalEnableByName(tx: Tx, name: string, actor: string): Promise<void> {
  return principalChange(tx, name, { disabled_at: null }, actor);
}

/** Nothing of it is left but what it did; who gets its name later is somebody else. @throws notFound */
export async function principalRemove(tx: Tx, name: string, actor: string): Promise<void> {
  const { id } = await principalNamed(tx.db, name);
  await tx.db.deleteFrom('role_bindings').where('principal_id', '=', id).execute();
  await tx.db.deleteFrom('principals').where('id', '=', id).execute();
  accessChanged(tx, name, actor);
}

/** Adding a binding that is there already changes nothing. @throws notFound, invalid */
export async function bindingAdd(tx: Tx, name: string, binding: RoleBinding, actor: string): Promise<void> {
  const principal = await principalNamed(tx.db, name);
  if ((await bindingIds(tx.db, principal.id, binding)).length > 0) return;
  await bindingInsert(tx, principal.id, binding, actor);
  accessChanged(tx, name, actor);
}

/** @throws notFound if the principal has no such binding */
export async function bindingRemove(
  tx: Tx,
  name: string,
  binding: RoleBinding,
  actor: string,
): Promise<void> {
  const principal = await principalNamed(tx.db, name);
  const ids = await bindingIds(tx.db, principal.id, binding);
  if (ids.length === 0)
    throw new LazaretError('notFound', `'${name}' was not given this role over exactly that`);
  await tx.db.deleteFrom('role_bindings').where('id', 'in', ids).execute();
  accessChanged(tx, name, actor);
}

export interface ListedPrincipal {
  readonly name: string;
  readonly kind: 'user' | 'robot';
  readonly account: string | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
  readonly bindings: readonly RoleBinding[];
}

/** Users and robots by name: those of an account, or (null) all. */
export async function principalList(db: Reader, account: string | null): Promise<ListedPrincipal[]> {
  const rows = await db
    .selectFrom('principals')
    .leftJoin('accounts', 'accounts.id', 'principals.account_id')
    .selectAll('principals')
    .select('accounts.name as account')
    .where('principals.kind', 'in', ['user', 'robot'])
    .$if(account !== null, (query) => query.where('accounts.name', '=', account))
    .orderBy('principals.name')
    .execute();
  const bindings = await bindingsOf(db);
  return rows.map((row) => ({
    name: row.name,
    kind: row.kind === 'robot' ? 'robot' : 'user',
    account: row.account,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    disabledAt: row.disabled_at,
    bindings: bindings.get(row.id) ?? [],
  }));
}

/** The caller that a principal is in this request, from its rows. */
export async function callerOf(db: Reader, principal: Principal): Promise<Caller> {
  const { name, kind, account, id } = principal;
  return { principal: name, kind, account, bindings: (await bindingsOf(db, id)).get(id) ?? [] };
}

/** Ends the tokens that were made before. */
async function principalChange(
  tx: Tx,
  name: string,
  change: Pick<Updateable<PrincipalTable>, 'secret_hash' | 'disabled_at' | 'expires_at'>,
  actor: string,
): Promise<void> {
  const { id } = await principalNamed(tx.db, name);
  await tx.db
    .updateTable('principals')
    .set((e) => ({ ...change, security_version: e('security_version', '+', 1) }))
    .where('id', '=', id)
    .execute();
  accessChanged(tx, name, actor);
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
  const { expires_at: expiresAt, security_version: securityVersion } = row;
  const disabled = row.disabled_at !== null;
  return { id, uid, name, kind, account, secretHash, disabled, expiresAt, securityVersion };
}

async function bindingInsert(
  tx: Tx,
  principalId: number,
  binding: RoleBinding,
  actor: string,
): Promise<void> {
  if (binding.repositoryGlob !== null) globMatcher(binding.repositoryGlob); // refuses what is no glob
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

async function bindingIds(db: Reader, principalId: number, binding: RoleBinding): Promise<number[]> {
  const rows = await db
    .selectFrom('role_bindings')
    .leftJoin('accounts', 'accounts.id', 'role_bindings.account_id')
    .select('role_bindings.id')
    .where('role_bindings.principal_id', '=', principalId)
    .where('role_bindings.role', '=', binding.role)
    .where('accounts.name', binding.account === null ? 'is' : '=', binding.account)
    .where(
      'role_bindings.repository_glob',
      binding.repositoryGlob === null ? 'is' : '=',
      binding.repositoryGlob,
    )
    .execute();
  return rows.map((row) => row.id);
}

/** By the key of the principal: those of one, or of all. */
async function bindingsOf(db: Reader, principalId?: number): Promise<Map<number, RoleBinding[]>> {
  const rows = await db
    .selectFrom('role_bindings')
    .leftJoin('accounts', 'accounts.id', 'role_bindings.account_id')
    .select(['principal_id', 'role', 'accounts.name as account', 'repository_glob as repositoryGlob'])
    .$if(principalId !== undefined, (query) => query.where('principal_id', '=', principalId ?? 0))
    .orderBy('role_bindings.id')
    .execute();
  const found = new Map<number, RoleBinding[]>();
  for (const { principal_id: id, ...binding } of rows) found.set(id, [...(found.get(id) ?? []), binding]);
  return found;
}
