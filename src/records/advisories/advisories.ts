import { sql } from 'kysely';
import { matchedEcosystem } from '../../versions/distributions.ts';
import type { OsvAdvisory } from '../../versions/osv/advisory.ts';
import { type SeverityRating, severityOf } from '../../versions/osv/severity.ts';
import { matchedName } from '../../versions/package-names.ts';
import { bulkInsert } from '../db/bulk-insert.ts';
import type { Tx } from '../db/database.ts';
import { type Engine, type Reader, textTable } from '../db/engine.ts';
import type { AdvisoryPackageTable, AdvisoryTable } from '../db/tables/advisories.ts';
import { affectedText, worst } from './affected.ts';
import { type FindingsChange, findingsOfAdvisories } from './findings.ts';
import { flawOf, flawsSettle } from './flaws.ts';
import { severitiesShare } from './shared-severity.ts';
import { storable } from './storable.ts';

/** An advisory as its source gave it. Key: source and id, so that one source never changes another's. */
export interface AdvisoryDocument {
  readonly advisory: OsvAdvisory;
  /** The document itself. */
  readonly body: string;
}

export interface KnownAdvisory {
  readonly id: number;
  readonly modifiedAt: number;
  readonly withdrawnAt: number | null;
  /** Why a newer document of this id can't be read. */
  readonly broken: string | null;
  readonly body: string;
}

/** Those of these ids that the source has given before, by id. */
export async function advisoriesKnown(
  db: Reader,
  {
    engine,
    source,
    ids,
  }: { readonly engine: Engine; readonly source: string; readonly ids: readonly string[] },
): Promise<Map<string, KnownAdvisory>> {
  const { rows } = await sql<KnownAdvisory & { readonly advisoryId: string }>`
    select advisories.id, advisories.advisory_id as "advisoryId", advisories.modified_at as "modifiedAt",
      advisories.withdrawn_at as "withdrawnAt", advisories.broken, advisories.body
    from ${textTable(engine, ids)} cross join advisories
    where advisories.advisory_id = wanted.text and advisories.source = ${source}`.execute(db);
  return new Map(rows.map(({ advisoryId, ...known }) => [advisoryId, known]));
}

/**
 * Keeps these documents, each id once, and makes the findings be what they say. The caller has the turn
 * (`advisoriesTurn`).
 * @param known what `advisoriesKnown` says of them
 */
export async function advisoriesKeep(
  tx: Tx,
  documents: readonly AdvisoryDocument[],
  { source, known }: { readonly source: string; readonly known: ReadonlyMap<string, KnownAdvisory> },
): Promise<FindingsChange> {
  const rated = documents.map((document) => ({ ...document, ratings: ratingsOf(document.advisory) }));
  const ids = await advisoriesUpsert(tx, source, rated);
  const kept = rated.flatMap(({ advisory, ratings }): KeptAdvisory[] => {
    const id = ids.get(advisory.id);
    if (id === undefined) return [];
    return [{ id, isNew: !known.has(advisory.id), advisory, rows: packageRows(id, advisory, ratings) }];
  });
  await detailsReplace(tx, kept);
  await flawsSettle(
    tx,
    kept.map(({ id, advisory }) => ({ id, advisory })),
  );
  const shared = await severitiesShare(
    tx,
    kept.map(({ id }) => id),
  );
  const changed = kept.map(({ id, isNew, advisory, rows }) => {
    const severity = shared.given.get(id);
    const entries = severity === undefined ? rows : rows.map((row) => ({ ...row, severity }));
    return { id, isNew, entries: advisory.withdrawn === undefined ? entries : [] };
  });
  const findings = await findingsOfAdvisories(tx, changed);
  return { ...findings, packageIds: new Set([...findings.packageIds, ...shared.packageIds]) };
}

const advisoryColumns = [
  'source',
  'advisory_id',
  'flaw',
  'modified_at',
  'published_at',
  'withdrawn_at',
  'severity',
  'severity_score',
  'severity_from',
  'summary',
  'body',
  'imported_at',
] as const satisfies readonly (keyof AdvisoryTable)[];

interface RatedDocument extends AdvisoryDocument {
  /** Of each `affected` entry. */
  readonly ratings: readonly SeverityRating[];
}

function ratingsOf(advisory: OsvAdvisory): readonly SeverityRating[] {
  return advisory.affected.map((entry) => severityOf(advisory, entry));
}

async function advisoriesUpsert(
  tx: Tx,
  source: string,
  documents: readonly RatedDocument[],
): Promise<Map<string, number>> {
  const changes = advisoryColumns.slice(2).map((column) => `${column} = excluded.${column}`);
  const written = await bulkInsert<{ id: number; advisory_id: string }>(
    tx,
    {
      table: 'advisories',
      columns: advisoryColumns,
      ending: `on conflict (advisory_id, source) do update set ${changes.join(', ')}, broken = null, broken_at = null
        returning id, advisory_id`,
    },
    documents.map((document) => advisoryRow(tx, source, document)),
  );
  return new Map(written.map((row) => [row.advisory_id, row.id]));
}

/** In the order of the columns. */
function advisoryRow(tx: Tx, source: string, { advisory, body, ratings }: RatedDocument): readonly unknown[] {
  const level = worst(ratings.map((rating) => rating.level));
  const rating = ratings.find((candidate) => candidate.level === level);
  return [
    source,
    advisory.id,
    flawOf(advisory),
    Date.parse(advisory.modified),
    advisory.published === undefined ? null : Date.parse(advisory.published),
    advisory.withdrawn === undefined ? null : Date.parse(advisory.withdrawn),
    level,
    rating?.score ?? null,
    rating?.source ?? null,
    advisory.summary === undefined ? null : storable(advisory.summary).slice(0, 1_000),
    body,
    tx.nowMs,
  ];
}

function packageRows(
  id: number,
  advisory: OsvAdvisory,
  ratings: readonly SeverityRating[],
): AdvisoryPackageTable[] {
  return advisory.affected.flatMap((entry, position) => {
    if (entry.package === undefined) return [];
    const ecosystem = matchedEcosystem(storable(entry.package.ecosystem));
    const name = matchedName(ecosystem, storable(entry.package.name));
    const severity = ratings[position]?.level ?? 'unknown';
    return [{ advisory_id: id, position, ecosystem, name, affected: affectedText(entry), severity }];
  });
}

interface KeptAdvisory {
  readonly id: number;
  readonly isNew: boolean;
  readonly advisory: OsvAdvisory;
  readonly rows: readonly AdvisoryPackageTable[];
}

async function detailsReplace(tx: Tx, kept: readonly KeptAdvisory[]): Promise<void> {
  for (const { id } of kept.filter(({ isNew }) => !isNew)) {
    await tx.db.deleteFrom('advisory_aliases').where('advisory_id', '=', id).execute();
    await tx.db.deleteFrom('advisory_packages').where('advisory_id', '=', id).execute();
  }
  // What a distribution passes on (`upstream`) can be asked for by that name, too.
  const aliases = kept.flatMap(({ id, advisory }) =>
    [...new Set([...advisory.aliases, ...advisory.upstream])].map((alias) => [id, storable(alias)]),
  );
  const noTwice = 'on conflict (advisory_id, alias) do nothing';
  await bulkInsert(
    tx,
    { table: 'advisory_aliases', columns: ['advisory_id', 'alias'], ending: noTwice },
    aliases,
  );
  await packagesInsert(
    tx,
    kept.flatMap(({ rows }) => rows),
  );
}

export async function packagesInsert(tx: Tx, rows: readonly AdvisoryPackageTable[]): Promise<void> {
  await bulkInsert(
    tx,
    {
      table: 'advisory_packages',
      columns: ['advisory_id', 'position', 'ecosystem', 'name', 'affected', 'severity'],
    },
    rows.map((row) => [row.advisory_id, row.position, row.ecosystem, row.name, row.affected, row.severity]),
  );
}
