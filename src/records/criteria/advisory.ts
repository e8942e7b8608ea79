import { type RawBuilder, sql } from 'kysely';
import type { AdvisoryCriteria, Severity } from '../../criteria/criteria.ts';
import { timeMs } from '../../criteria/parts.ts';
import { whyAnyMayBeHit } from '../advisories/broken.ts';
import { exploitedAreKnown } from '../advisories/exploits.ts';
import { advisoriesNamed, advisoryKeysNamed, maliciousAreKnown } from '../advisories/named.ts';
import type { Database } from '../db/database.ts';
import { idTable } from '../db/engine.ts';
import { within } from '../db/keys.ts';
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
import { foundPackages } from './found-packages.ts';
import type { EvidenceRow, Hit, ImageScope, Leaf, LeafContext } from './leaf.ts';
import { unfedImages } from './unfed.ts';

const severityOrder: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * `advisory`: findings hang on distinct package versions, so the search is for the packages that have one, and then for the
 * images that have those. An image is unknown where a finding may be what is asked for and nobody can tell: whether the
 * advisory applies, how severe it is, when it was published, whether it is exploited while no catalogue of such was loaded;
 * and where it has packages of ecosystems of which no advisory was ever loaded.
 */
export async function advisoryLeaf(criteria: AdvisoryCriteria, context: LeafContext): Promise<Leaf> {
  const { database, scope } = context;
  const db = database.read;
  const asked = criteria.advisory;
  const { in: place = 'image' } = asked;
  const everywhere = asked.id === undefined && scope === undefined;
  const [isCatalogued, exploited, rows, unanswerable, unfed] = await Promise.all([
    asked.exploited === undefined || exploitedAreKnown(db),
    everywhere && asked.exploited !== undefined ? exploitedAdvisories(database) : undefined,
    exceptedFindings(database, context),
    whyUnanswerable(database, asked),
    unfedImages(database, scope),
  ]);
  const byCatalogue = everywhere && asked.exploited === true && asked.severity === undefined;
  const indexed = database.engine === 'postgres' || (everywhere && !byCatalogue);
  const isExploited = exploited ? isAmongExploited(database, exploited) : isCalledExploited;
  const conditions = conditionsOf(asked, isCatalogued ? isExploited : undefined);
  const wanted = [verdictAsked(indexed), ...conditions];
  const excepted = { engine: database.engine, rows, found: foundPackages(database, place, scope) };
  const images = (where: readonly RawBuilder<boolean>[]) => imagesWith(excepted, scope, where).compile(db);
  return {
    ...(unanswerable === undefined ? {} : { unanswerable }),
    matches: images(wanted.map(({ sure }) => sure)),
    ...(scope === undefined
      ? {
          asFound: imagesAsFound(
            excepted,
            wanted.map(({ sure }) => sure),
          ).compile(db),
        }
      : {}),
    unknowns: [
      ...wanted.flatMap(({ untold }, at) => {
        if (untold === undefined) return [];
        const others = wanted.toSpliced(at, 1).map(mayBe);
        return [{ images: images([...others, untold.where]), because: untold.because }];
      }),
      ...unfed,
    ],
    ...(rows.length === 0 ? {} : { excepted: coveredHits(excepted, and(conditions.map(mayBe))).compile(db) }),
    evidence: (manifestIds, limit) => {
      const shown = [verdictAsked(database.engine === 'postgres'), ...conditions].map(({ sure }) => sure);
      const where = sql`${and(shown)} and ${within(database, 'found.manifest_id', manifestIds)}`;
      return evidenceQuery(excepted, { where, limit }).compile(db);
    },
  };
}

/**
 * Where no source has told of it, nobody knows what it applies to; nor is a slip of the pen a clean answer. What can't be
 * read and names no package, as where a file was cut off, may be about any.
 */
async function whyUnanswerable(
  database: Database,
  { id, malicious }: AdvisoryCriteria['advisory'],
): Promise<string | undefined> {
  const because = await whyAnyMayBeHit(database);
  if (because !== undefined) return because;
  if (malicious === true && !(await maliciousAreKnown(database)))
    return 'no advisories of malicious packages were loaded';
  if (id === undefined || (await advisoryKeysNamed(database, id)).size > 0) return undefined;
  return `no advisory ${id} was loaded`;
}

/** One thing that is asked of a finding. */
interface Asked {
  readonly sure: RawBuilder<boolean>;
  /** Where nobody can tell whether it holds. */
  readonly untold?: { readonly where: RawBuilder<boolean>; readonly because: string };
  /** That it holds, or nobody can tell; default: as the two say. */
  readonly maybe?: RawBuilder<boolean>;
}

function mayBe({ sure, untold, maybe }: Asked): RawBuilder<boolean> {
  return maybe ?? (untold === undefined ? sure : sql<boolean>`(${sure} or ${untold.where})`);
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

/** Over all images; without what exceptions are about. PostgreSQL gathers what is to be distinct. */
function imagesAsFound(excepted: Excepted, conditions: readonly RawBuilder<boolean>[]): RawBuilder<Hit> {
  return sql<Hit>`select ${excepted.engine === 'postgres' ? sql`` : sql`distinct`} found.manifest_id
    from (select distinct findings.package_id from findings
      join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null
      where findings.until is null and ${and([...conditions, ...isUnexcepted(excepted)])}) as hit
    cross join ${excepted.found} where found.package_id = hit.package_id`;
}

function evidenceQuery(
  excepted: Excepted,
  { where, limit }: { readonly where: RawBuilder<unknown>; readonly limit: number },
): RawBuilder<EvidenceRow> {
  const hits = sql`select found.*, advisories.advisory_id as advisory, advisories.flaw, findings.severity, findings.fixed_version,
      findings.since
    from ${excepted.found} join findings on findings.package_id = found.package_id ${ofAdvisories}
    where ${and([where, ...isUnexcepted(excepted)])} limit ${limit}`;
  const placed = excepted.rows.length > 0;
  const all = placed ? withUncoveredEvidence(hits, excepted, { where, limit }) : sql`(${hits})`;
  return sql<EvidenceRow>`select hit.manifest_id, ${placed ? sql`hit.repository_id, ` : sql``}blobs.digest as layer,
      paths.path, packages.purl, hit.advisory, hit.flaw, hit.severity, hit.fixed_version,
      hit.since
    from ${all} as hit
    join blobs on blobs.id = hit.blob_id
    join paths on paths.id = hit.path_id
    join packages on packages.id = hit.package_id`;
}

/** Whether the advisory applies. */
function verdictAsked(indexed: boolean): Asked {
  return {
    sure: verdictIs(['affected'], indexed),
    untold: {
      where: verdictIs(['unknown'], indexed),
      because: 'a version can’t be compared with an advisory',
    },
    maybe: verdictIs(['affected', 'unknown'], indexed),
  };
}

/** By its index, or where something else finds fewer, without: PostgreSQL knows that by itself. */
function verdictIs(verdicts: readonly string[], indexed: boolean): RawBuilder<boolean> {
  const verdict = indexed ? sql.ref('findings.verdict') : sql`findings.verdict || ''`;
  return sql<boolean>`${verdict} in (${sql.join(verdicts.map((one) => sql.lit(one)))})`;
}

/** @param isExploited undefined: no catalogue was loaded */
function conditionsOf(
  asked: AdvisoryCriteria['advisory'],
  isExploited: RawBuilder<boolean> | undefined,
): Asked[] {
  const { id, severity, fixed, malicious, exploited, publishedSince } = asked;
  // What is told by a column of the finding first.
  return [
    ...(fixed === undefined ? [] : [fixAsked(fixed)]),
    ...(severity === undefined ? [] : [severityAsked(severity)]),
    ...(publishedSince === undefined ? [] : [publicationAsked(publishedSince)]),
    ...(id === undefined ? [] : [{ sure: sql<boolean>`findings.advisory_id in (${advisoriesNamed(id)})` }]),
    ...(malicious === undefined
      ? []
      : [{ sure: malicious ? isMalicious : sql<boolean>`not ${isMalicious}` }]),
    ...(exploited === undefined ? [] : [exploitedAsked(exploited, isExploited)]),
  ];
}

/** Of what nobody can compare, nobody knows the fix either. */
function fixAsked(fixed: boolean): Asked {
  return fixed
    ? {
        sure: sql<boolean>`findings.fixed_version is not null`,
        maybe: sql<boolean>`(findings.fixed_version is not null or findings.verdict = 'unknown')`,
      }
    : { sure: sql<boolean>`findings.fixed_version is null` };
}

function severityAsked(severity: Severity): Asked {
  const asked = severityOrder.slice(severityOrder.indexOf(severity));
  return {
    sure: severityIn(asked),
    untold: { where: severityIn(['unknown']), because: 'nobody gave a severity of an advisory' },
    maybe: severityIn([...asked, 'unknown']),
  };
}

function publicationAsked(since: string): Asked {
  return {
    sure: sql<boolean>`advisories.published_at >= ${timeMs(since)}`,
    untold: {
      where: sql<boolean>`advisories.published_at is null`,
      because: 'an advisory does not say when it was published',
    },
  };
}

const uncatalogued: Asked = {
  sure: sql<boolean>`1 = 0`,
  untold: {
    where: sql<boolean>`1 = 1`,
    because: 'no catalogue of exploited vulnerabilities was loaded',
  },
};

/** By its own name, or as another source's name for what MAL-… says. */
const isMalicious = sql<boolean>`(advisories.advisory_id like 'MAL-%' or exists (select 1 from advisory_aliases
  where advisory_aliases.advisory_id = advisories.id and advisory_aliases.alias like 'MAL-%'))`;

function exploitedAsked(exploited: boolean, isExploited: RawBuilder<boolean> | undefined): Asked {
  if (!isExploited) return uncatalogued;
  return { sure: exploited ? isExploited : sql<boolean>`not ${isExploited}` };
}

/** By the flaw that the advisory is about, or any of the CVEs that it passes on, of which each advisory has few. */
const isCalledExploited = sql<boolean>`(advisories.flaw in (select known_exploited.cve from known_exploited) or exists
    (select 1 from advisory_aliases cross join known_exploited
      where advisory_aliases.advisory_id = advisories.id and known_exploited.cve = advisory_aliases.alias))`;

/** The same from the catalogue's side, which is short: for where very many findings would be looked at. */
async function exploitedAdvisories(database: Database): Promise<readonly number[]> {
  const rows = await database.search(
    sql<{ id: number }>`select advisories.id from known_exploited cross join advisories
        where advisories.flaw = known_exploited.cve
      union select advisory_aliases.advisory_id from known_exploited cross join advisory_aliases
        where advisory_aliases.alias = known_exploited.cve`.compile(database.read),
  );
  return rows.map(({ id }) => Number(id));
}

function isAmongExploited({ engine }: Database, advisoryIds: readonly number[]): RawBuilder<boolean> {
  const exploited = sql`select exploited.id from ${idTable(engine, advisoryIds)} as exploited`;
  return sql<boolean>`findings.advisory_id in (${exploited})`;
}

function severityIn(severities: readonly (Severity | 'unknown')[]): RawBuilder<boolean> {
  return sql<boolean>`findings.severity in (${sql.join(severities.map((name) => sql.lit(name)))})`;
}
