/**
 * Exceptions in a search for findings. What no exception is about counts wherever the image is; what one is about counts
 * as each repository has the image, where none covers it:
 *
 *     findings that no exception is about                            → hits of the image, everywhere
 *     those that some are about, joined with the image's repositories → hits of the image in a repository
 *
 * The second half begins with the exceptions, which are few, and comes to images by the packages' index. Without exceptions
 * the search is as if there were no such thing.
 */
import { type RawBuilder, sql } from 'kysely';
import { type Engine, numberTable } from '../db/engine.ts';
import type { ExceptedFinding } from '../exceptions/excepted-findings.ts';
import type { EvidenceRow, ExceptedHit, Hit } from './leaf.ts';

export interface Excepted {
  readonly engine: Engine;
  readonly rows: readonly ExceptedFinding[];
  /** Where packages are: `found(manifest_id, package_id, blob_id, path_id)`. */
  readonly found: RawBuilder<unknown>;
}

export const ofAdvisories = sql`and findings.until is null
    join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null`;

export const severityRank = sql`max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3
    when 'low' then 2 else 1 end)`;

/** Of a finding: no exception is about it. */
export function isUnexcepted({ engine, rows }: Excepted): RawBuilder<boolean>[] {
  if (rows.length === 0) return [];
  const pairs = new Map(rows.map((row) => [`${row.packageId} ${row.advisoryId}`, row]));
  const table = numberTable(engine, {
    name: 'excepted',
    columns: ['package_id', 'advisory_id'],
    rows: [...pairs.values()].map(({ packageId, advisoryId }) => [packageId, advisoryId]),
  });
  return [
    sql<boolean>`(findings.package_id, findings.advisory_id) not in
      (select excepted.package_id, excepted.advisory_id from ${table})`,
  ];
}

/** `hits`, of what no exception is about, and those of what is not covered where it is. */
export function withUncovered(
  hits: RawBuilder<Hit>,
  excepted: Excepted,
  where: RawBuilder<unknown>,
): RawBuilder<Hit> {
  if (excepted.rows.length === 0) return hits;
  const placed = placedFindings(excepted, { where, columns: sql`${severityRank} as severity` });
  return sql<Hit>`select manifest_id, null as repository_id, severity from (${hits}) as everywhere
    union all select manifest_id, repository_id, max(severity) from (${placed} having ${isCovered} = 0) as placed
      group by manifest_id, repository_id`;
}

/** Where exceptions cover findings that are asked for. */
export function coveredHits(excepted: Excepted, where: RawBuilder<unknown>): RawBuilder<ExceptedHit> {
  return sql<ExceptedHit>`select distinct ${place}, excepted.exception ${fromExcepted(excepted, sql`${where} and ${covers}`)}`;
}

/** As `withUncovered`; `hits` and the columns of the others are those of evidence before paths and names are joined. */
export function withUncoveredEvidence(
  hits: RawBuilder<unknown>,
  excepted: Excepted,
  { where, limit }: { readonly where: RawBuilder<unknown>; readonly limit: number },
): RawBuilder<EvidenceRow> {
  const columns = sql`found.package_id, found.blob_id, found.path_id, advisories.advisory_id as advisory,
    advisories.flaw, findings.severity, findings.fixed_version, findings.since`;
  const placed = sql`${placedFindings(excepted, { where, columns })}, found.blob_id, found.path_id,
    advisories.advisory_id, advisories.flaw, findings.severity, findings.fixed_version, findings.since having ${isCovered} = 0`;
  return sql`(select manifest_id, null as repository_id, package_id, blob_id, path_id, advisory, flaw, severity, fixed_version,
      since from (${hits}) as everywhere
    union all select * from (${placed} limit ${limit}) as placed limit ${limit})`;
}

const place = sql`found.manifest_id, coalesce(repositories.id, 0) as repository_id`;

const covers = sql`(excepted.manifest_id in (0, found.manifest_id)
  and (excepted.place in (0, repositories.id) or -excepted.place = repositories.account_id))`;

const isCovered = sql`max(case when ${covers} then 1 else 0 end)`;

/** Grouped by image, repository, package and advisory. */
function placedFindings(
  excepted: Excepted,
  { where, columns }: { readonly where: RawBuilder<unknown>; readonly columns: RawBuilder<unknown> },
): RawBuilder<unknown> {
  return sql`select ${place}, ${columns} ${fromExcepted(excepted, where)}
    group by found.manifest_id, repositories.id, found.package_id, findings.advisory_id`;
}

/** SQLite keeps the order of a `cross join`: the exceptions come first, whatever the scope is. */
function fromExcepted({ engine, rows, found }: Excepted, where: RawBuilder<unknown>): RawBuilder<unknown> {
  const table = numberTable(engine, {
    name: 'excepted',
    columns: ['package_id', 'advisory_id', 'manifest_id', 'place', 'exception'],
    rows: rows.map((row) => [row.packageId, row.advisoryId, row.manifestId, row.place, row.exception]),
  });
  return sql`from ${table} cross join ${found} cross join findings cross join advisories
    left join repository_manifests on repository_manifests.manifest_id = found.manifest_id
      and repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null
    left join repositories on repositories.id = repository_manifests.repository_id
    where found.package_id = excepted.package_id and findings.package_id = excepted.package_id
      and findings.advisory_id = excepted.advisory_id and findings.until is null
      and advisories.id = excepted.advisory_id and advisories.withdrawn_at is null and ${where}`;
}
