/** The rows that findings are made of and kept in: looked up by name or key, never by a scan of a table. */
import { sql } from 'kysely';
import { namesSources } from '../../versions/distributions.ts';
import { foldsCase } from '../../versions/package-names.ts';
import { schemeOfEcosystem } from '../../versions/schemes.ts';
import { bulkInsert } from '../db/bulk-insert.ts';
import type { Tx } from '../db/database.ts';
import { chunked, foldedName, idTable, textTable } from '../db/engine.ts';
import type { FindingTable } from '../db/tables/advisories.ts';
import type { AffectedEntry, Judgement } from './affected.ts';

/** A package as it is matched. */
export interface MatchedPackage {
  readonly id: number;
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly sourceName: string | null;
  readonly sourceVersion: string | null;
}

export interface EntryOfAdvisory extends AffectedEntry {
  readonly advisoryId: number;
}

export async function entriesNaming(
  tx: Tx,
  ecosystem: string,
  names: readonly string[],
): Promise<readonly EntryOfAdvisory[]> {
  const { rows } =
    await sql<EntryOfAdvisory>`select entry.advisory_id as "advisoryId", entry.ecosystem, entry.name,
      entry.affected, entry.severity
    from ${textTable(tx.engine, names)} cross join advisory_packages as entry cross join advisories
    where entry.ecosystem = ${ecosystem} and entry.name = wanted.text
      and advisories.id = entry.advisory_id and advisories.withdrawn_at is null`.execute(tx.db);
  return rows;
}

/** Where advisories name sources, a package without a source is its own. */
export async function packagesNamed(
  tx: Tx,
  ecosystem: string,
  names: readonly string[],
): Promise<readonly MatchedPackage[]> {
  const named = (column: 'name' | 'source_name', more = sql``) =>
    sql<MatchedPackage>`select packages.id, packages.ecosystem, packages.name, packages.version,
        packages.source_name as "sourceName", packages.source_version as "sourceVersion"
      from ${textTable(tx.engine, names)} cross join packages
      where packages.ecosystem = ${ecosystem} and ${sql.ref(`packages.${column}`)} = wanted.text ${more}`.execute(
      tx.db,
    );
  if (foldsCase(ecosystem)) return packagesFolded(tx, ecosystem, names);
  if (!namesSources(ecosystem)) return (await named('name')).rows;
  const own = await named('name', sql`and packages.source_name is null`);
  return [...(await named('source_name')).rows, ...own.rows];
}

/** Kept as they were found, in any case: by the index of folded names, which is by the type of their purls. */
async function packagesFolded(
  tx: Tx,
  ecosystem: string,
  names: readonly string[],
): Promise<readonly MatchedPackage[]> {
  const type = schemeOfEcosystem(ecosystem)?.purlType;
  const { rows } =
    await sql<MatchedPackage>`select packages.id, packages.ecosystem, packages.name, packages.version,
        packages.source_name as "sourceName", packages.source_version as "sourceVersion"
      from ${textTable(tx.engine, names)} cross join packages
      where packages.purl_type = ${type} and ${foldedName(tx.engine)} = wanted.text
        and packages.ecosystem = ${ecosystem}`.execute(tx.db);
  return rows;
}

export type OpenFinding = Pick<
  FindingTable,
  'package_id' | 'advisory_id' | 'verdict' | 'fixed_version' | 'severity'
>;

/** By advisory, then by package. */
export async function openFindings(
  tx: Tx,
  advisoryIds: readonly number[],
): Promise<Map<number, Map<number, OpenFinding>>> {
  const open = new Map<number, Map<number, OpenFinding>>();
  if (advisoryIds.length === 0) return open;
  const { rows } = await sql<OpenFinding>`select findings.package_id, findings.advisory_id, findings.verdict,
      findings.fixed_version, findings.severity
    from ${idTable(tx.engine, advisoryIds)} as wanted cross join findings
    where findings.advisory_id = wanted.id and findings.until is null`.execute(tx.db);
  for (const row of rows) {
    const ofAdvisory = open.get(row.advisory_id) ?? new Map<number, OpenFinding>();
    open.set(row.advisory_id, ofAdvisory.set(row.package_id, row));
  }
  return open;
}

/** Each finding once. */
export async function findingsInsert(tx: Tx, rows: readonly FindingTable[]): Promise<void> {
  await bulkInsert(
    tx,
    {
      table: 'findings',
      columns: ['package_id', 'advisory_id', 'verdict', 'fixed_version', 'severity', 'since', 'until'],
      // Ended and begun within the same millisecond.
      ending: `on conflict (package_id, advisory_id, since) do update set verdict = excluded.verdict,
        fixed_version = excluded.fixed_version, severity = excluded.severity, until = null`,
    },
    rows.map((row) => [
      row.package_id,
      row.advisory_id,
      row.verdict,
      row.fixed_version,
      row.severity,
      row.since,
      row.until,
    ]),
  );
}

export async function findingUpdate(tx: Tx, before: OpenFinding, now: Judgement): Promise<void> {
  await tx.db
    .updateTable('findings')
    .set({ verdict: now.verdict, fixed_version: now.fixedVersion, severity: now.severity })
    .where('package_id', '=', before.package_id)
    .where('advisory_id', '=', before.advisory_id)
    .where('until', 'is', null)
    .execute();
}

export async function findingsEnd(tx: Tx, advisoryId: number, packageIds: readonly number[]): Promise<void> {
  for (const part of chunked(packageIds.map((id) => ({ id }))))
    await tx.db
      .updateTable('findings')
      .set({ until: tx.nowMs })
      .where('advisory_id', '=', advisoryId)
      .where(
        'package_id',
        'in',
        part.map(({ id }) => id),
      )
      .where('until', 'is', null)
      .execute();
}
