import type { Reader } from '../db/engine.ts';
import type { AdvisorySourceTable } from '../db/tables/advisories.ts';
import type { ExploitScore, KnownExploited } from './exploits.ts';

export interface LoadedFeed {
  readonly source: string;
  readonly kind: AdvisorySourceTable['kind'];
  /** Milliseconds since 1970. */
  readonly importedAt: number;
  readonly documents: number;
}

/** All that was loaded, also what gives no advisories. */
export async function loadedFeeds(db: Reader): Promise<readonly LoadedFeed[]> {
  const rows = await db.selectFrom('advisory_sources').selectAll().orderBy('source').execute();
  return rows.map(({ source, kind, imported_at, documents }) => ({
    source,
    kind,
    importedAt: imported_at,
    documents,
  }));
}

export interface ExportedAdvisory {
  readonly advisoryId: string;
  /** '' of one that was never readable. */
  readonly body: string;
  readonly withdrawn: boolean;
  readonly broken?: {
    readonly place: string;
    readonly reason: string;
    readonly names: readonly string[];
    readonly packages: readonly { readonly ecosystem: string; readonly name: string }[];
  };
}

/** Of one source, in pages; what changes meanwhile may be in or not. */
export async function* exportedAdvisories(
  db: Reader,
  source: string,
  pageRows = 500,
): AsyncGenerator<readonly ExportedAdvisory[]> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('advisories')
      .select(['id', 'advisory_id', 'body', 'withdrawn_at', 'broken', 'broken_at'])
      .where('source', '=', source)
      .where('advisory_id', '>', after)
      .orderBy('advisory_id')
      .limit(pageRows)
      .execute();
    const last = rows.at(-1);
    if (!last) return;
    after = last.advisory_id;
    const page: ExportedAdvisory[] = [];
    for (const row of rows) {
      const exported = { advisoryId: row.advisory_id, body: row.body, withdrawn: row.withdrawn_at !== null };
      if (row.broken === null) page.push(exported);
      else {
        const [names, packages] = [await namesOf(db, row.id), await unreadablePackages(db, row.id)];
        page.push({
          ...exported,
          broken: { place: row.broken_at ?? '', reason: row.broken, names, packages },
        });
      }
    }
    yield page;
  }
}

async function namesOf(db: Reader, advisoryId: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('advisory_aliases')
    .select('alias')
    .where('advisory_id', '=', advisoryId)
    .execute();
  return rows.map(({ alias }) => alias);
}

async function unreadablePackages(db: Reader, advisoryId: number) {
  return db
    .selectFrom('advisory_packages')
    .select(['ecosystem', 'name'])
    .where('advisory_id', '=', advisoryId)
    .where('affected', 'like', '{"unreadable":%')
    .execute();
}

export async function exportedExploited(db: Reader): Promise<readonly KnownExploited[]> {
  const rows = await db.selectFrom('known_exploited').selectAll().orderBy('cve').execute();
  return rows.map(({ cve, added_on, due_on, ransomware, name }) => ({
    cve,
    addedOn: added_on,
    dueOn: due_on,
    ransomware: ransomware === 1,
    name,
  }));
}

export async function* exportedScores(db: Reader, pageRows = 5_000): AsyncGenerator<readonly ExploitScore[]> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('exploit_scores')
      .select(['cve', 'score', 'percentile'])
      .where('cve', '>', after)
      .orderBy('cve')
      .limit(pageRows)
      .execute();
    const last = rows.at(-1);
    if (!last) return;
    after = last.cve;
    yield rows;
  }
}
