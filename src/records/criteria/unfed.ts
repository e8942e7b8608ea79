import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { textTable } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import type { Hit, ImageScope, UnknownHits } from './leaf.ts';

/**
 * Images with packages of ecosystems of which no advisory was ever loaded: nobody can say that none applies. Few sets of
 * ecosystems occur, and each image's is in its row.
 */
export async function unfedImages(database: Database, scope: ImageScope): Promise<UnknownHits[]> {
  const fed = new Set(await distinct(database, 'advisory_packages', 'ecosystem'));
  if (fed.size === 0) return []; // whoever asks says so of all images
  const sets = await distinct(database, 'images', 'ecosystems');
  const byMissing = Map.groupBy(sets, (set) => missingOf(set, fed).join(', '));
  return [...byMissing].flatMap(([missing, of]) => {
    if (missing === '') return [];
    const images = sql<Hit>`select images.manifest_id from images
      where images.ecosystems in (select wanted.text from ${textTable(database.engine, of)})
        and ${within(database, 'images.manifest_id', scope)}`.compile(database.read);
    return { images, because: `no advisories of ${missing} were loaded` };
  });
}

function missingOf(set: string, fed: ReadonlySet<string>): string[] {
  const ecosystems: unknown = JSON.parse(set);
  if (!Array.isArray(ecosystems)) return [];
  return ecosystems.map(String).filter((ecosystem) => !fed.has(ecosystem));
}

/** From one value to the next in the index: there are many rows and few values. */
async function distinct(
  database: Database,
  table: 'advisory_packages' | 'images',
  column: string,
): Promise<readonly string[]> {
  const [from, value] = [sql.table(table), sql.ref(column)];
  const rows = await database.search(
    sql<{ value: string | null }>`with recursive known (value) as (
        select min(${value}) from ${from}
        union all select (select min(${value}) from ${from} where ${value} > known.value)
          from known where known.value is not null)
      select value from known where value is not null`.compile(database.read),
  );
  return rows.flatMap((row) => (row.value === null ? [] : [row.value]));
}
