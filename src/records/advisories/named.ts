import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';

/**
 * The keys of all advisories that a name means: those of this id or alias, those of the flaw of this name, and those of
 * the flaw of the advisory with this id. One list, in which a key may be twice: PostgreSQL would look at every advisory for
 * an `or`.
 */
export function advisoriesNamed(name: string): RawBuilder<unknown> {
  return sql`select named.id from advisories as named where named.advisory_id = ${name}
      union all select advisory_aliases.advisory_id from advisory_aliases where advisory_aliases.alias = ${name}
      union all select named.id from advisories as named where named.flaw = ${name}
      union all select named.id from advisories as one cross join advisories as named
        where one.advisory_id = ${name} and named.flaw = one.flaw`;
}

/** The same, read. */
export async function advisoryKeysNamed(database: Database, name: string): Promise<ReadonlySet<number>> {
  const rows = await database.search(
    sql<{ id: number }>`select id from (${advisoriesNamed(name)}) as named`.compile(database.read),
  );
  return new Set(rows.map(({ id }) => Number(id)));
}

/** Whether any source has told of packages that are themselves the harm, by the names of the Malicious Packages repository. */
export async function maliciousAreKnown(database: Database): Promise<boolean> {
  const rows = await database.search(
    sql`select 1 from advisories where advisory_id >= 'MAL-' and advisory_id < 'MAL.'
      union all select 1 from advisory_aliases where alias >= 'MAL-' and alias < 'MAL.' limit 1`.compile(
      database.read,
    ),
  );
  return rows.length > 0;
}
