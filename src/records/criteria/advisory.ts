import { type RawBuilder, sql } from 'kysely';
import type { AdvisoryCriteria, Severity } from '../../criteria/criteria.ts';
import { timeMs } from '../../criteria/parts.ts';
import { exploitedAreKnown } from '../advisories/exploits.ts';
import { exceptedFindings } from '../exceptions/excepted-findings.ts';
import {
  coveredHits,
  type Excepted,
  isUnexcepted,
  ofAdvisories,
  severityRank,
  withUncovered,
  withUncoveredEvidence,
} from './excepted.ts';
import { foundPackages, within } from './found-packages.ts';
import type { EvidenceRow, Hit, ImageScope, Leaf, LeafContext } from './leaf.ts';
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
  const { severity, exploited, in: place = 'image' } = criteria.advisory;
  const rated = severity ? [severityIn(severityOrder.slice(severityOrder.indexOf(severity)))] : [];
  const others = conditionsOf(criteria.advisory);
  const isCatalogued = exploited === undefined || (await exploitedAreKnown(db));
  const attacks =
    exploited === undefined ? [] : [isCatalogued ? isExploited(exploited) : sql<boolean>`1 = 0`];
  const asked = [...others, ...attacks];
  const everywhere = criteria.advisory.id === undefined && scope === undefined;
  const byCatalogue = everywhere && exploited === true && severity === undefined;
  if (byCatalogue && isCatalogued) asked.push(isInCatalogue);
  const indexed = database.engine === 'postgres' || (everywhere && !byCatalogue);
  const shown = and([...asked, verdictIs(['affected'], database.engine === 'postgres'), ...rated]);
  const rows = await exceptedFindings(database, context);
  const excepted = { engine: database.engine, rows, found: foundPackages(place, scope) };
  const images = (conditions: readonly RawBuilder<boolean>[], all = asked) =>
    imagesWith(excepted, scope, [...all, ...conditions]).compile(db);
  const unrated = [verdictIs(['affected', 'unknown'], indexed), isUnrated];
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
    ...(rows.length === 0
      ? {}
      : {
          excepted: coveredHits(
            excepted,
            and([...(isCatalogued ? asked : others), ...orUnrated(rated)]),
          ).compile(db),
        }),
    evidence: (manifestIds, limit) => {
      const where = sql`${shown} and ${within('found.manifest_id', manifestIds)}`;
      return evidenceQuery(excepted, { where, limit }).compile(db);
    },
  };
}

const isUnrated = sql<boolean>`findings.severity = 'unknown'`;

function orUnrated(rated: readonly RawBuilder<boolean>[]): readonly RawBuilder<boolean>[] {
  return rated.map((one) => sql<boolean>`(${one} or ${isUnrated})`);
}

function and(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`1 = 1` : sql.join([...conditions], sql` and `);
}

/**
 * Over all images the packages come first, which are few beside the places that they are in (SQLite keeps the order of a
 * `cross join`); over some images, what those show.
 */
function imagesWith(
  excepted: Excepted,
  scope: ImageScope,
  conditions: readonly RawBuilder<boolean>[],
): RawBuilder<Hit> {
  const { found } = excepted;
  const where = and([...conditions, ...isUnexcepted(excepted)]);
  const everywhere =
    scope === undefined
      ? sql<Hit>`select found.manifest_id, max(hit.severity) as severity
    from (select findings.package_id, ${severityRank} as severity from findings
      join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null
      where findings.until is null and ${where} group by findings.package_id) as hit
    cross join ${found} where found.package_id = hit.package_id group by found.manifest_id`
      : sql<Hit>`select found.manifest_id, ${severityRank} as severity
      from ${found} join findings on findings.package_id = found.package_id ${ofAdvisories}
      where ${where} group by found.manifest_id`;
  return withUncovered(everywhere, excepted, and(conditions));
}

function evidenceQuery(
  excepted: Excepted,
  { where, limit }: { readonly where: RawBuilder<unknown>; readonly limit: number },
): RawBuilder<EvidenceRow> {
  const hits = sql`select found.*, advisories.advisory_id as advisory, findings.severity, findings.fixed_version
    from ${excepted.found} join findings on findings.package_id = found.package_id ${ofAdvisories}
    where ${and([where, ...isUnexcepted(excepted)])} limit ${limit}`;
  const placed = excepted.rows.length > 0;
  const all = placed ? withUncoveredEvidence(hits, excepted, { where, limit }) : sql`(${hits})`;
  return sql<EvidenceRow>`select hit.manifest_id, ${placed ? sql`hit.repository_id, ` : sql``}blobs.digest as layer,
      paths.path, packages.purl, hit.advisory, hit.severity, hit.fixed_version
    from ${all} as hit
    join blobs on blobs.id = hit.blob_id
    join paths on paths.id = hit.path_id
    join packages on packages.id = hit.package_id`;
}

/** By its index, or where something else finds fewer, without: PostgreSQL knows that by itself. */
function verdictIs(verdicts: readonly string[], indexed: boolean): RawBuilder<boolean> {
  const verdict = indexed ? sql.ref('findings.verdict') : sql`findings.verdict || ''`;
  return sql<boolean>`${verdict} in (${sql.join(verdicts.map((one) => sql.lit(one)))})`;
}

function conditionsOf(asked: AdvisoryCriteria['advisory']): RawBuilder<boolean>[] {
  const { id, fixed, malicious, publishedSince } = asked;
  const conditions: RawBuilder<boolean>[] = [];
  if (id !== undefined)
    // As one list of keys: PostgreSQL would look at every advisory for an `or`.
    conditions.push(sql<boolean>`findings.advisory_id in
      (select named.id from advisories as named where named.advisory_id = ${id}
      union all select advisory_aliases.advisory_id from advisory_aliases where advisory_aliases.alias = ${id})`);
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

/** The same from the catalogue's side, which is short: for where nothing else leaves few findings. */
const isInCatalogue = sql<boolean>`findings.advisory_id in
  (select advisories.id from known_exploited cross join advisories where advisories.flaw = known_exploited.cve
  union all select advisory_aliases.advisory_id from known_exploited cross join advisory_aliases
    where advisory_aliases.alias = known_exploited.cve)`;

/** By the flaw that the advisory is about, or any of the CVEs that it passes on, of which each advisory has few. */
function isExploited(exploited: boolean): RawBuilder<boolean> {
  const flaw = sql<boolean>`(advisories.flaw in (select known_exploited.cve from known_exploited) or exists
    (select 1 from advisory_aliases cross join known_exploited
      where advisory_aliases.advisory_id = advisories.id and known_exploited.cve = advisory_aliases.alias))`;
  return exploited ? flaw : sql<boolean>`not ${flaw}`;
}

function severityIn(severities: readonly Severity[]): RawBuilder<boolean> {
  return sql<boolean>`findings.severity in (${sql.join(severities.map((name) => sql.lit(name)))})`;
}
