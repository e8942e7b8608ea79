/**
 * The last resort of a severity: the CVSS of another advisory of the same flaw, the highest there is. Most records of
 * Debian, Alpine and Go have none of their own. What comes later gives it to those that are here, and takes it back when
 * it is withdrawn or rates otherwise.
 */
import { sql } from 'kysely';
import type { Tx } from '../db/database.ts';
import { idTable } from '../db/engine.ts';
import type { AdvisoryTable } from '../db/tables/advisories.ts';

export interface SharedSeverity {
  /** By the id of the row, of those that were asked for: what they were given. */
  readonly given: ReadonlyMap<number, AdvisoryTable['severity']>;
  /** Of packages whose findings changed. */
  readonly packageIds: ReadonlySet<number>;
}

type Rated = Pick<
  AdvisoryTable,
  'flaw' | 'severity' | 'severity_score' | 'severity_from' | 'withdrawn_at'
> & { readonly id: number };

/** @param ids of rows that were just written */
export async function severitiesShare(tx: Tx, ids: readonly number[]): Promise<SharedSeverity> {
  const given = new Map<number, AdvisoryTable['severity']>();
  const packageIds = new Set<number>();
  const { rows } =
    await sql<Rated>`select distinct other.id, other.flaw, other.severity, other.severity_score,
      other.severity_from, other.withdrawn_at
    from ${idTable(tx.engine, ids)} as wanted cross join advisories cross join advisories as other
    where advisories.id = wanted.id and other.flaw = advisories.flaw`.execute(tx.db);
  for (const ofFlaw of Map.groupBy(rows, ({ flaw }) => flaw).values()) {
    const best = bestOf(ofFlaw);
    for (const row of ofFlaw) {
      if (row.severity_from !== null && row.severity_from !== 'alias') continue;
      const severity = best?.severity ?? 'unknown';
      if (row.severity !== severity || row.severity_score !== (best?.severity_score ?? null))
        for (const id of await severityTake(tx, row.id, best)) packageIds.add(id);
      if (best) given.set(row.id, severity);
    }
  }
  return { given, packageIds };
}

function bestOf(rows: readonly Rated[]): Rated | undefined {
  return rows
    .filter((row) => row.severity_from === 'cvss' && row.withdrawn_at === null)
    .toSorted((a, b) => (b.severity_score ?? 0) - (a.severity_score ?? 0))[0];
}

/** @returns whose findings changed */
async function severityTake(tx: Tx, id: number, best: Rated | undefined): Promise<readonly number[]> {
  const severity = best?.severity ?? 'unknown';
  await tx.db
    .updateTable('advisories')
    .set({
      severity,
      severity_score: best?.severity_score ?? null,
      severity_from: best === undefined ? null : 'alias',
    })
    .where('id', '=', id)
    .execute();
  await tx.db.updateTable('advisory_packages').set({ severity }).where('advisory_id', '=', id).execute();
  const changed = await tx.db
    .updateTable('findings')
    .set({ severity })
    .where('advisory_id', '=', id)
    .where('until', 'is', null)
    .returning('package_id')
    .execute();
  return changed.map((row) => row.package_id);
}
