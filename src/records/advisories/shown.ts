import { sql } from 'kysely';
import type { Reader } from '../db/engine.ts';
import { advisoriesNamed } from './named.ts';

/** A row as it is shown: what the source gave, and what became of it. */
export interface ShownAdvisory {
  readonly id: string;
  readonly source: string;
  readonly flaw: string;
  readonly summary: string | null;
  readonly severity: string;
  readonly severityScore: number | null;
  readonly severityFrom: string | null;
  /** Milliseconds since 1970, as are the other times. */
  readonly modifiedAt: number;
  readonly publishedAt: number | null;
  readonly withdrawnAt: number | null;
  readonly importedAt: number;
  readonly broken: string | null;
  readonly brokenAt: string | null;
  /** Distinct package versions that it applies to, or may. */
  readonly packagesFound: number;
  /** '' of one that could never be read. */
  readonly body: string;
}

/** Those with this id, this alias, or of the flaw of this name: of every source, the id's own first. */
export async function advisoriesShown(
  db: Reader,
  name: string,
  limit: number,
): Promise<readonly ShownAdvisory[]> {
  const { rows } =
    await sql<ShownAdvisory>`select advisories.advisory_id as id, advisories.source, advisories.flaw,
      advisories.summary, advisories.severity, advisories.severity_score as "severityScore",
      advisories.severity_from as "severityFrom", advisories.modified_at as "modifiedAt",
      advisories.published_at as "publishedAt", advisories.withdrawn_at as "withdrawnAt",
      advisories.imported_at as "importedAt", advisories.broken, advisories.broken_at as "brokenAt", advisories.body,
      (select count(*) from findings where findings.advisory_id = advisories.id and findings.until is null)
        as "packagesFound"
    from advisories
    where advisories.id in (${advisoriesNamed(name)})
    order by case when advisories.advisory_id = ${name} then 0 else 1 end, advisories.advisory_id, advisories.source
    limit ${limit}`.execute(db);
  return rows.map((row) => ({ ...row, packagesFound: Number(row.packagesFound) }));
}
