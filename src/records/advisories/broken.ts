/**
 * Documents that can't be read. What such a document names becomes unknown until a readable one of its id comes: what an
 * earlier one said stands beside that, since an affected package is affected for all we know. One without a readable id
 * is kept under the place where it was, until an import of the same file no longer has it.
 */
import { sql } from 'kysely';
import { matchedEcosystem } from '../../versions/distributions.ts';
import { matchedName } from '../../versions/package-names.ts';
import { bulkInsert } from '../db/bulk-insert.ts';
import type { Database, Tx } from '../db/database.ts';
import { packagesInsert } from './advisories.ts';
import { unreadableText } from './affected.ts';
import { type FindingsChange, findingsOfAdvisories } from './findings.ts';
import { storable } from './storable.ts';

export interface BrokenAdvisory {
  readonly id: string | undefined;
  /** By which it may be asked for. */
  readonly names: readonly string[];
  /** `all.zip!/GHSA-1.json`, `osv.jsonl, line 3`: the file first. */
  readonly place: string;
  readonly reason: string;
  readonly packages: readonly { readonly ecosystem: string; readonly name: string }[];
}

/** Entries that say nothing but that they can't be read are behind those of the readable document. */
const firstPosition = 1_000_000;
const reasonMax = 500;

/** The caller has the turn (`advisoriesTurn`). */
export async function advisoriesBroken(
  tx: Tx,
  source: string,
  broken: readonly BrokenAdvisory[],
): Promise<FindingsChange> {
  const ids: number[] = [];
  for (const one of broken) ids.push(await brokenKeep(tx, source, one));
  return findingsOf(tx, [...new Set(ids)]);
}

/** Those without an id of which an import of `file`, now at its end, did not tell again. */
export async function advisoriesUnbreak(
  tx: Tx,
  {
    source,
    file,
    places,
  }: { readonly source: string; readonly file: string; readonly places: ReadonlySet<string> },
): Promise<FindingsChange> {
  const rows = await tx.db
    .selectFrom('advisories')
    .select(['id', 'advisory_id', 'broken_at'])
    .where('source', '=', source)
    .where('broken', 'is not', null)
    .execute();
  const gone = rows.filter(({ advisory_id, broken_at: place }) => {
    const ofFile = place === file || place?.startsWith(`${file},`) || place?.startsWith(`${file}!/`);
    return place !== null && ofFile === true && !places.has(place) && advisory_id === placeName(place);
  });
  for (const { id } of gone)
    await tx.db
      .updateTable('advisories')
      .set({ broken: null, broken_at: null, withdrawn_at: tx.nowMs })
      .where('id', '=', id)
      .execute();
  return findingsOf(
    tx,
    gone.map(({ id }) => id),
  );
}

/**
 * Where a source gave a document of which nobody can tell which packages it is about, or has never yet come to its end, any
 * package may be hit: a sentence for people.
 */
export async function whyAnyMayBeHit(database: Database): Promise<string | undefined> {
  return (await whyIncomplete(database)) ?? whyUnnamed(database);
}

async function whyIncomplete(database: Database): Promise<string | undefined> {
  const [row] = await database.search(
    sql<{
      source: string;
      begun: number;
    }>`select source, 1 as begun from advisory_sources where imported_at = 0
      union all select source, 0 from advisory_feeds where not exists
        (select 1 from advisory_sources where advisory_sources.source = advisory_feeds.source)
      order by 1 limit 1`.compile(database.read),
  );
  if (row === undefined) return undefined;
  return row.begun === 1
    ? `the first import of ${row.source} has not ended`
    : `${row.source} was never loaded`;
}

async function whyUnnamed(database: Database): Promise<string | undefined> {
  const [row] = await database.search(
    sql<{ source: string }>`select advisories.source from advisories
      where advisories.broken is not null and advisories.withdrawn_at is null and not exists
        (select 1 from advisory_packages where advisory_packages.advisory_id = advisories.id)
      limit 1`.compile(database.read),
  );
  return row && `what ${row.source} gave can’t be read in part, and names no package`;
}

/** No id has a blank. */
function placeName(place: string): string {
  return `unreadable ${place}`;
}

async function brokenKeep(tx: Tx, source: string, one: BrokenAdvisory): Promise<number> {
  const { id: advisoryId, names, place, reason, packages } = storableOf(one);
  const name = advisoryId ?? placeName(place);
  const before = await tx.db
    .selectFrom('advisories')
    .select(['id', 'withdrawn_at'])
    .where('advisory_id', '=', name)
    .where('source', '=', source)
    .executeTakeFirst();
  const id = before?.id ?? (await brokenInsert(tx, source, name));
  await tx.db
    .updateTable('advisories')
    .set({ broken: reason, broken_at: place, withdrawn_at: null })
    .where('id', '=', id)
    .execute();
  // What was withdrawn says nothing any more; of the broken document nobody knows whether it is withdrawn too.
  const from = before?.withdrawn_at ? 0 : firstPosition;
  await tx.db
    .deleteFrom('advisory_packages')
    .where('advisory_id', '=', id)
    .where('position', '>=', from)
    .execute();
  // What an earlier one named stays.
  await bulkInsert(
    tx,
    {
      table: 'advisory_aliases',
      columns: ['advisory_id', 'alias'],
      ending: 'on conflict (advisory_id, alias) do nothing',
    },
    names.map((alias) => [id, alias]),
  );
  await packagesInsert(
    tx,
    packages.map(({ ecosystem, name: packageName }, at) => ({
      advisory_id: id,
      position: firstPosition + at,
      ecosystem: matchedEcosystem(ecosystem),
      name: matchedName(matchedEcosystem(ecosystem), packageName),
      affected: unreadableText(reason),
      severity: 'unknown' as const,
    })),
  );
  return id;
}

function storableOf({ id, names, place, reason, packages }: BrokenAdvisory): BrokenAdvisory {
  return {
    id,
    names: names.map(storable),
    place: storable(place),
    reason: storable(reason).slice(0, reasonMax),
    packages: packages.map(({ ecosystem, name }) => ({
      ecosystem: storable(ecosystem),
      name: storable(name),
    })),
  };
}

/** Older than any document that can be read. */
async function brokenInsert(tx: Tx, source: string, name: string): Promise<number> {
  const row = await tx.db
    .insertInto('advisories')
    .values({
      source,
      advisory_id: name,
      flaw: name,
      modified_at: 0,
      published_at: null,
      withdrawn_at: null,
      severity: 'unknown',
      severity_score: null,
      severity_from: null,
      summary: null,
      body: '',
      imported_at: tx.nowMs,
      broken: null,
      broken_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Makes the findings be what the rows say. */
async function findingsOf(tx: Tx, ids: readonly number[]): Promise<FindingsChange> {
  const changed = [];
  for (const id of ids) {
    const entries = await tx.db
      .selectFrom('advisory_packages')
      .innerJoin('advisories', 'advisories.id', 'advisory_packages.advisory_id')
      .select(['advisory_packages.ecosystem', 'advisory_packages.name'])
      .select(['advisory_packages.affected', 'advisory_packages.severity'])
      .where('advisory_packages.advisory_id', '=', id)
      .where('advisories.withdrawn_at', 'is', null)
      .execute();
    changed.push({ id, entries });
  }
  return findingsOfAdvisories(tx, changed);
}
