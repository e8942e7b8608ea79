import { type RawBuilder, sql } from 'kysely';
import type { AdvisoryCriteria, Severity } from '../../criteria/criteria.ts';
import { timeMs } from '../../criteria/parts.ts';
import { foundPackages, within } from './found-packages.ts';
import type { EvidenceRow, Hit, Leaf, LeafContext } from './leaf.ts';

const severityOrder: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * `advisory`: findings hang on distinct package versions, so the search joins them with where those packages were found.
 * A finding whose severity nobody gave makes the image unknown where the criteria ask for a severity, and so does one
 * of which nobody can tell whether the advisory applies.
 */
export function advisoryLeaf(criteria: AdvisoryCriteria, { database, scope }: LeafContext): Leaf {
  const db = database.read;
  const { severity, in: place = 'image' } = criteria.advisory;
  const found = sql`${foundPackages(place, scope)}
    join findings on findings.package_id = found.package_id and findings.until is null
    join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null
    where ${sql.join(conditionsOf(criteria.advisory), sql` and `)}`;
  const rated = severity
    ? severityIn(severityOrder.slice(severityOrder.indexOf(severity)))
    : sql<boolean>`1 = 1`;
  const severe = sql<boolean>`findings.verdict = 'affected' and ${rated}`;
  const possible = severity
    ? sql<boolean>`(findings.severity = 'unknown' or (findings.verdict = 'unknown' and ${rated}))`
    : sql<boolean>`findings.verdict = 'unknown'`;
  const images = (where: RawBuilder<boolean>) =>
    sql<Hit>`select distinct found.manifest_id from ${found} and ${where}`.compile(db);
  return {
    matches:
      sql<Hit>`select found.manifest_id, max(case findings.severity when 'critical' then 5 when 'high' then 4
        when 'medium' then 3 when 'low' then 2 else 1 end) as severity
      from ${found} and ${severe} group by found.manifest_id`.compile(db),
    unknowns: [
      { images: images(possible), because: 'nobody gave a severity, or a version can’t be compared' },
    ],
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, hit.advisory, hit.severity,
          hit.fixed_version
        from (select found.*, advisories.advisory_id as advisory, findings.severity, findings.fixed_version from ${found}
          and ${severe} and ${within('found.manifest_id', manifestIds)} limit ${limit}) as hit
        join blobs on blobs.id = hit.blob_id
        join paths on paths.id = hit.path_id
        join packages on packages.id = hit.package_id`.compile(db),
  };
}

function conditionsOf(asked: AdvisoryCriteria['advisory']): RawBuilder<boolean>[] {
  const { id, fixed, malicious, publishedSince } = asked;
  const conditions: RawBuilder<boolean>[] = [sql<boolean>`1 = 1`];
  if (id !== undefined)
    conditions.push(sql<boolean>`(advisories.advisory_id = ${id} or advisories.id in
      (select advisory_aliases.advisory_id from advisory_aliases where advisory_aliases.alias = ${id}))`);
  if (fixed !== undefined)
    conditions.push(
      fixed ? sql<boolean>`findings.fixed_version is not null` : sql<boolean>`findings.fixed_version is null`,
    );
  if (malicious !== undefined)
    conditions.push(
      malicious
        ? sql<boolean>`advisories.advisory_id like 'MAL-%'`
        : sql<boolean>`advisories.advisory_id not like 'MAL-%'`,
    );
  if (publishedSince !== undefined)
    conditions.push(sql<boolean>`advisories.published_at >= ${timeMs(publishedSince)}`);
  return conditions;
}

function severityIn(severities: readonly Severity[]): RawBuilder<boolean> {
  return sql<boolean>`findings.severity in (${sql.join(severities.map((name) => sql.lit(name)))})`;
}
