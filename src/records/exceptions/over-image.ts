import type { Database } from '../db/database.ts';
import { exceptedFindings } from './excepted-findings.ts';
import type { Exception } from './exceptions.ts';
import { exceptionsByKey } from './lists.ts';

/** Those that count for an image as a repository has it: of a package's and an advisory's row. */
export type ExceptionsOver = (packageId: number, advisoryId: number) => readonly Exception[];

export async function exceptionsOver(
  database: Database,
  image: { readonly manifestId: number; readonly repositoryId: number | null },
): Promise<ExceptionsOver> {
  const places = await placesOf(database, image.repositoryId);
  const over = (await exceptedFindings(database)).filter(
    ({ manifestId, place }) =>
      (manifestId === 0 || manifestId === image.manifestId) && places.includes(place),
  );
  const exceptions = await exceptionsByKey(database.read, [...new Set(over.map((one) => one.exception))]);
  const byFinding = Map.groupBy(over, (one) => `${one.packageId} ${one.advisoryId}`);
  return (packageId, advisoryId) => {
    const numbers = new Set(byFinding.get(`${packageId} ${advisoryId}`)?.map((one) => one.exception));
    return [...numbers].flatMap((number) => exceptions.get(number) ?? []);
  };
}

async function placesOf({ read }: Database, repositoryId: number | null): Promise<readonly number[]> {
  if (repositoryId === null) return [0];
  const { account_id: accountId } = await read
    .selectFrom('repositories')
    .select('account_id')
    .where('id', '=', repositoryId)
    .executeTakeFirstOrThrow();
  return [0, repositoryId, -Number(accountId)];
}
