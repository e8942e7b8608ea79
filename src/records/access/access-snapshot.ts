import type { AccessSnapshot } from '../../contract/replication.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { fingerprintKeyAdd, fingerprintKeyList } from '../inventory/fingerprint-keys.ts';
import { logHead } from '../log/log.ts';
import { accountEnsure, accountRows } from './accounts.ts';

/**
 * Who may do what, as the primary region decides it: accounts, and users and robots with their roles. A follower takes
 * over the whole: what it has that the primary has not is disabled, what has the same name becomes the primary's.
 * The key of fingerprints is with it, since regions share it. Principals of instances and regions are not in it; they belong to the region that they speak to. Signing keys never
 * leave their region: each signs its own tokens.
 */
export async function accessSnapshotRead(db: Reader): Promise<AccessSnapshot> {
  // First, so that a change that comes meanwhile is announced by an event after it.
  const position = await logHead(db);
  const accounts = (await accountRows(db)).map(({ name, createdAt, anonymousPull }) => ({
    name,
    createdAt,
    anonymousPull,
  }));
  const principals = await db
    .selectFrom('principals')
    .leftJoin('accounts', 'accounts.id', 'principals.account_id')
    .selectAll('principals')
    .select('accounts.name as account')
    .where('principals.kind', 'in', ['user', 'robot'])
    .orderBy('principals.id')
    .execute();
  const bindings = await db
    .selectFrom('role_bindings')
    .leftJoin('accounts', 'accounts.id', 'role_bindings.account_id')
    .select(['principal_id', 'role', 'accounts.name as account', 'repository_glob as repositoryGlob'])
    .orderBy('role_bindings.id')
    .execute();
  const bindingsOf = Map.groupBy(bindings, (binding) => binding.principal_id);
  const keys = await fingerprintKeyList(db);
  return {
    position,
    fingerprintKeys: keys.map(({ version, key }) => ({
      version,
      key: Buffer.from(key).toString('base64'),
    })),
    accounts,
    principals: principals.map((row) => ({
      uid: row.uid,
      name: row.name,
      kind: row.kind === 'robot' ? 'robot' : 'user',
      account: row.account,
      secretHash: row.secret_hash,
      createdAt: row.created_at,
      disabledAt: row.disabled_at,
      expiresAt: row.expires_at,
      securityVersion: row.security_version,
      bindings: (bindingsOf.get(row.id) ?? []).map(({ role, account, repositoryGlob }) => ({
        role,
        account,
        repositoryGlob,
      })),
    })),
  };
}

/** @param origin the primary region, whose snapshot it is */
export async function accessSnapshotApply(tx: Tx, snapshot: AccessSnapshot, origin: string): Promise<void> {
  const actor = `region/${origin}`;
  for (const { version, key } of snapshot.fingerprintKeys ?? [])
    await fingerprintKeyAdd(tx, { version, key: Buffer.from(key, 'base64') });
  for (const account of snapshot.accounts) await accountApply(tx, account, actor);
  const names = snapshot.principals.map((principal) => principal.name);
  await tx.db
    .updateTable('principals')
    .set({ disabled_at: tx.nowMs })
    .where('kind', 'in', ['user', 'robot'])
    .where('disabled_at', 'is', null)
    .$if(names.length > 0, (query) => query.where('name', 'not in', names))
    .execute();
  for (const principal of snapshot.principals) await principalApply(tx, principal, actor);
  // Here too whatever was decided by the rows before is decided anew.
  tx.emit({ type: 'access.applied', lane: 'local', subject: origin, actor, data: {} });
}

async function accountApply(
  tx: Tx,
  { name, anonymousPull }: AccessSnapshot['accounts'][number],
  actor: string,
): Promise<void> {
  const id = await accountEnsure(tx, name, actor);
  const open = anonymousPull ? 1 : 0;
  await tx.db.updateTable('accounts').set({ anonymous_pull: open }).where('id', '=', id).execute();
}

async function principalApply(
  tx: Tx,
  principal: AccessSnapshot['principals'][number],
  actor: string,
): Promise<void> {
  const { account } = principal;
  const row = {
    uid: principal.uid,
    kind: principal.kind,
    account_id: account === null ? null : await accountEnsure(tx, account, actor),
    secret_hash: principal.secretHash,
    disabled_at: principal.disabledAt,
    expires_at: principal.expiresAt,
    security_version: principal.securityVersion,
  };
  const { id } = await tx.db
    .insertInto('principals')
    .values({ name: principal.name, created_at: principal.createdAt, ...row })
    .onConflict((c) => c.column('name').doUpdateSet(row))
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx.db.deleteFrom('role_bindings').where('principal_id', '=', id).execute();
  for (const binding of principal.bindings) {
    await tx.db
      .insertInto('role_bindings')
      .values({
        principal_id: id,
        role: binding.role,
        account_id: binding.account === null ? null : await accountEnsure(tx, binding.account, actor),
        repository_glob: binding.repositoryGlob,
      })
      .execute();
  }
}
