import type { Insertable } from 'kysely';
import { matchedEcosystem } from '../../versions/distributions.ts';
import type { OsvAdvisory } from '../../versions/osv/advisory.ts';
import { severityOf } from '../../versions/osv/severity.ts';
import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import type { AdvisoryPackageTable, AdvisoryTable } from '../db/tables/advisories.ts';
import { affectedText, worst } from './affected.ts';
import { type FindingsChange, findingsOfAdvisories } from './findings.ts';

/** An advisory as its source gave it. Key: source and id, so that one source never changes another's. */
export interface AdvisoryDocument {
  readonly advisory: OsvAdvisory;
  /** The document itself. */
  readonly body: string;
}

export interface KnownAdvisory {
  readonly id: number;
  readonly modifiedAt: number;
  readonly withdrawn: boolean;
  readonly body: string;
}

/** Those of these ids that the source has given before, by id. */
export async function advisoriesKnown(
  db: Reader,
  source: string,
  ids: readonly string[],
): Promise<Map<string, KnownAdvisory>> {
  const known = new Map<string, KnownAdvisory>();
  for (const part of chunked(ids.map((id) => ({ id })))) {
    const rows = await db
      .selectFrom('advisories')
      .select(['id', 'advisory_id', 'modified_at', 'withdrawn_at', 'body'])
      .where('source', '=', source)
      .where(
        'advisory_id',
        'in',
        part.map(({ id }) => id),
      )
      .execute();
    for (const row of rows)
      known.set(row.advisory_id, {
        id: row.id,
        modifiedAt: row.modified_at,
        withdrawn: row.withdrawn_at !== null,
        body: row.body,
      });
  }
  return known;
}

/**
 * Keeps these documents, each id once, and makes the findings be what they say. The caller has the turn
 * (`advisoriesTurn`).
 */
export async function advisoriesKeep(
  tx: Tx,
  source: string,
  documents: readonly AdvisoryDocument[],
): Promise<FindingsChange> {
  const ids = await advisoriesUpsert(tx, source, documents);
  const kept = documents.flatMap((document) => {
    const id = ids.get(document.advisory.id);
    return id === undefined
      ? []
      : [{ id, advisory: document.advisory, rows: packageRows(id, document.advisory) }];
  });
  await detailsReplace(tx, kept);
  return findingsOfAdvisories(
    tx,
    kept.map(({ id, advisory, rows }) => ({ id, entries: advisory.withdrawn === undefined ? rows : [] })),
  );
}

async function advisoriesUpsert(
  tx: Tx,
  source: string,
  documents: readonly AdvisoryDocument[],
): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  const rows = documents.map((document) => advisoryRow(tx, source, document));
  for (const part of chunked(rows)) {
    const written = await tx.db
      .insertInto('advisories')
      .values([...part])
      .onConflict((c) =>
        c.columns(['source', 'advisory_id']).doUpdateSet((e) => ({
          modified_at: e.ref('excluded.modified_at'),
          published_at: e.ref('excluded.published_at'),
          withdrawn_at: e.ref('excluded.withdrawn_at'),
          severity: e.ref('excluded.severity'),
          severity_score: e.ref('excluded.severity_score'),
          severity_from: e.ref('excluded.severity_from'),
          summary: e.ref('excluded.summary'),
          body: e.ref('excluded.body'),
          imported_at: e.ref('excluded.imported_at'),
        })),
      )
      .returning(['id', 'advisory_id'])
      .execute();
    for (const row of written) ids.set(row.advisory_id, row.id);
  }
  return ids;
}

function advisoryRow(
  tx: Tx,
  source: string,
  { advisory, body }: AdvisoryDocument,
): Insertable<AdvisoryTable> {
  const ratings = advisory.affected.map((entry) => severityOf(advisory, entry));
  const level = worst(ratings.map((rating) => rating.level));
  const rating = ratings.find((candidate) => candidate.level === level);
  return {
    source,
    advisory_id: advisory.id,
    modified_at: Date.parse(advisory.modified),
    published_at: advisory.published === undefined ? null : Date.parse(advisory.published),
    withdrawn_at: advisory.withdrawn === undefined ? null : Date.parse(advisory.withdrawn),
    severity: level,
    severity_score: rating?.score ?? null,
    severity_from: rating?.source ?? null,
    summary: advisory.summary === undefined ? null : cleaned(advisory.summary).slice(0, 1_000),
    body,
    imported_at: tx.nowMs,
  };
}

function packageRows(advisoryId: number, advisory: OsvAdvisory): AdvisoryPackageTable[] {
  return advisory.affected.flatMap((entry, position) =>
    entry.package === undefined
      ? []
      : [
          {
            advisory_id: advisoryId,
            position,
            ecosystem: matchedEcosystem(cleaned(entry.package.ecosystem)),
            name: cleaned(entry.package.name),
            affected: affectedText(entry),
            severity: severityOf(advisory, entry).level,
          },
        ],
  );
}

interface KeptAdvisory {
  readonly id: number;
  readonly advisory: OsvAdvisory;
  readonly rows: readonly AdvisoryPackageTable[];
}

async function detailsReplace(tx: Tx, kept: readonly KeptAdvisory[]): Promise<void> {
  const ids = kept.map(({ id }) => ({ id }));
  for (const part of chunked(ids)) {
    const some = part.map(({ id }) => id);
    await tx.db.deleteFrom('advisory_aliases').where('advisory_id', 'in', some).execute();
    await tx.db.deleteFrom('advisory_packages').where('advisory_id', 'in', some).execute();
  }
  // What a distribution passes on (`upstream`) is another name of the same flaw, too.
  const aliases = kept.flatMap(({ id, advisory }) =>
    [...new Set([...advisory.aliases, ...advisory.upstream])].map((alias) => ({
      advisory_id: id,
      alias: cleaned(alias),
    })),
  );
  for (const part of chunked(aliases))
    await tx.db
      .insertInto('advisory_aliases')
      .values([...part])
      .onConflict((c) => c.columns(['advisory_id', 'alias']).doNothing())
      .execute();
  for (const part of chunked(kept.flatMap(({ rows }) => rows)))
    await tx.db
      .insertInto('advisory_packages')
      .values([...part])
      .execute();
}

/** PostgreSQL's text can't hold a zero character. */
function cleaned(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
