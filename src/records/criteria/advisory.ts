import { type RawBuilder, sql } from 'kysely';
import type { AdvisoryCriteria, Severity } from '../../criteria/criteria.ts';
import { timeMs } from '../../criteria/parts.ts';
import { exploitedAreKnown } from '../advisories/exploits.ts';
import { foundPackages, within } from './found-packages.ts';
import type { EvidenceRow, Hit, Leaf, LeafContext } from './leaf.ts';
import { unfedImages } from './unfed.ts';

const severityOrder: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * `advisory`: findings hang on distinct package versions, so the search is for the packages that have one, and then for the
 * images that have those. A finding whose severity nobody gave makes the image unknown where the criteria ask for a
 * severity; so does one of which nobody can tell whether the advisory applies, or whether it is exploited while no catalogue
 * of such was loaded; and so do packages of ecosystems of which no advisory was ever loaded.
 */
export async function advisoryLeaf(criteria: AdvisoryCriteria, context: LeafContext): Promise<Leaf> {
  const { database, scope } = context;
  const db = database.read;
  const { severity, in: place = 'image' } = criteria.advisory;
  const rated = severity ? [severityIn(severityOrder.slice(severityOrder.indexOf(severity)))] : [];
  const { exploited } = criteria.advisory;
  const others = conditionsOf(criteria.advisory);
  const isCatalogued = exploited === undefined || (await exploitedAreKnown(db));
  const attacks =
    exploited === undefined ? [] : [isCatalogued ? isExploited(exploited) : sql<boolean>`1 = 0`];
  const asked = [...others, ...attacks];
  const indexed = criteria.advisory.id === undefined && scope === undefined;
  const shown = sql.join([...asked, verdictIs(['affected'], false), ...rated], sql` and `);
  const images = (conditions: readonly RawBuilder<boolean>[], all = asked) =>
    imagesWith(criteria, context, sql.join([...all, ...conditions], sql` and `)).compile(db);
  const unrated = [verdictIs(['affected', 'unknown'], indexed), sql<boolean>`findings.severity = 'unknown'`];
  return {
    matches: images([verdictIs(['affected'], indexed), ...rated]),
    unknowns: [
      ...(severity ? [{ images: images(unrated), because: 'nobody gave a severity of an advisory' }] : []),
      {
        images: images([verdictIs(['unknown'], indexed), ...rated]),
        because: 'a version can’t be compared with an advisory',
      },
      ...(isCatalogued
        ? []
        : [
            {
              images: images([verdictIs(['affected'], indexed), ...rated], others),
              because: 'no catalogue of exploited vulnerabilities was loaded',
            },
          ]),
      ...(await unfedImages(database, scope)),
    ],
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, hit.advisory, hit.severity,
          hit.fixed_version
        from (select found.*, advisories.advisory_id as advisory, findings.severity, findings.fixed_version
          from ${foundPackages(place, scope)} join findings on findings.package_id = found.package_id ${ofAdvisories}
          where ${shown} and ${within('found.manifest_id', manifestIds)} limit ${limit}) as hit
        join blobs on blobs.id = hit.blob_id
        join paths on paths.id = hit.path_id
        join packages on packages.id = hit.package_id`.compile(db),
  };
}

const ofAdvisories = sql`and findings.until is null
    join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null`;

const rank = sql`max(case findings.severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3
    when 'low' then 2 else 1 end)`;

/**
 * Over all images the packages come first, which are few beside the places that they are in (SQLite keeps the order of a
 * `cross join`); over some images, what those show.
 */
function imagesWith(
  { advisory: { in: place = 'image' } }: AdvisoryCriteria,
  { scope }: LeafContext,
  where: RawBuilder<unknown>,
): RawBuilder<Hit> {
  const found = foundPackages(place, scope);
  if (scope !== undefined)
    return sql<Hit>`select found.manifest_id, ${rank} as severity
      from ${found} join findings on findings.package_id = found.package_id ${ofAdvisories}
      where ${where} group by found.manifest_id`;
  return sql<Hit>`select found.manifest_id, max(hit.severity) as severity
    from (select findings.package_id, ${rank} as severity from findings
      join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null
      where findings.until is null and ${where} group by findings.package_id) as hit
    cross join ${found} where found.package_id = hit.package_id group by found.manifest_id`;
}

/** By its index, or where something else finds fewer, without. */
function verdictIs(verdicts: readonly string[], indexed: boolean): RawBuilder<boolean> {
  const verdict = indexed ? sql.ref('findings.verdict') : sql`findings.verdict || ''`;
  return sql<boolean>`${verdict} in (${sql.join(verdicts.map((one) => sql.lit(one)))})`;
}

function conditionsOf(asked: AdvisoryCriteria['advisory']): RawBuilder<boolean>[] {
  const { id, fixed, malicious, publishedSince } = asked;
  const conditions: RawBuilder<boolean>[] = [];
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

/** By the flaw that the advisory is about, or any of the CVEs that it passes on. */
function isExploited(exploited: boolean): RawBuilder<boolean> {
  const flaw = sql<boolean>`(advisories.flaw in (select known_exploited.cve from known_exploited) or advisories.id in
    (select advisory_aliases.advisory_id from known_exploited
      join advisory_aliases on advisory_aliases.alias = known_exploited.cve))`;
  return exploited ? flaw : sql<boolean>`not ${flaw}`;
}

function severityIn(severities: readonly Severity[]): RawBuilder<boolean> {
  return sql<boolean>`findings.severity in (${sql.join(severities.map((name) => sql.lit(name)))})`;
}
