import { LazaretError } from '../../lib/errors.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import type { Database, Tx } from '../db/database.ts';
import { byCodeUnit, type Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import { assertHomeHere } from '../regions/home.ts';

/** A repository: it belongs to the account that its name begins with, and appears with the first push. */
export interface Repository {
  readonly id: number;
  readonly name: string;
  readonly account: string;
  readonly homeRegion: string;
}

export async function repositoryFind(db: Reader, name: string): Promise<Repository | undefined> {
  const [repository] = await repositoriesNamed(db, { name });
  return repository;
}

const repositoriesNamed = keptQuery((db, { name }: { name: string }) =>
  repositoriesWithAccount(db).where('repositories.name', '=', name),
);

function repositoriesWithAccount(db: Reader) {
  return db
    .selectFrom('repositories')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['repositories.id', 'repositories.name'])
    .select(['accounts.name as account', 'repositories.home_region as homeRegion']);
}

/** @throws nameUnknown */
export async function repositoryGet(db: Reader, name: string): Promise<Repository> {
  const repository = await repositoryFind(db, name);
  if (repository) return repository;
  throw new LazaretError('nameUnknown', `there is no repository ${name}`);
}

/**
 * For whatever changes the content of a repository that must be there.
 * @throws nameUnknown, readOnlyReplica if its home is another region
 */
export async function repositoryForChange(tx: Tx, name: string): Promise<Repository> {
  return (await repositoryHere(tx, name)) ?? repositoryGet(tx.db, name);
}

/** @returns undefined if it is not there yet. @throws readOnlyReplica if its home is, or would be, another region */
async function repositoryHere(tx: Tx, name: string): Promise<Repository | undefined> {
  const repository = await repositoryFind(tx.db, name);
  if (repository?.homeRegion !== tx.region) await assertHomeHere(tx.db, tx.region, name);
  return repository;
}

/**
 * For a push: makes the repository if it is not there yet.
 * @throws denied if the account doesn't exist, readOnlyReplica if its home is, or would be, another region
 */
export async function repositoryEnsure(tx: Tx, { name, account }: RepositoryName): Promise<Repository> {
  const known = await repositoryHere(tx, name);
  if (known) return known;
  const owner = await tx.db
    .selectFrom('accounts')
    .select('id')
    .where('name', '=', account)
    .executeTakeFirst();
  if (!owner)
    throw new LazaretError('denied', `account '${account}' does not exist`, { detail: { account } });
  await tx.db
    .insertInto('repositories')
    .values({ name, account_id: owner.id, home_region: tx.region, created_at: tx.nowMs })
    .onConflict((c) => c.column('name').doNothing())
    .execute();
  return repositoryGet(tx.db, name);
}

/** Names after `after`, sorted by code unit. */
export async function repositoryNames(
  { engine, read }: Pick<Database, 'engine' | 'read'>,
  { after, limit }: { after: string; limit: number },
): Promise<string[]> {
  const name = byCodeUnit(engine, 'name');
  const rows = await read
    .selectFrom('repositories')
    .select('name')
    .where(name, '>', after)
    .orderBy(name)
    .limit(limit)
    .execute();
  return rows.map((row) => row.name);
}

/** Those whose content this region owns. */
export function repositoriesOfHome(db: Reader, region: string): Promise<Repository[]> {
  return repositoriesWithAccount(db)
    .where('repositories.home_region', '=', region)
    .orderBy('repositories.id')
    .execute();
}
