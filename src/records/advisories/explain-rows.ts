import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { textTable } from '../db/engine.ts';
import type { AffectedEntry } from './affected.ts';
import type { MatchedPackage } from './finding-rows.ts';

/** A package that an image shows, and where. */
export interface PlacedPackage extends MatchedPackage {
  readonly purl: string;
  readonly layer: string | null;
  readonly path: string;
}

export function placedPackages(database: Database, manifestId: number): Promise<PlacedPackage[]> {
  return database.search(
    sql<PlacedPackage>`select packages.id, packages.purl, packages.ecosystem, packages.name, packages.version,
        packages.source_name as "sourceName", packages.source_version as "sourceVersion",
        blobs.digest as layer, paths.path
      from image_packages
      join packages on packages.id = image_packages.package_id
      join paths on paths.id = image_packages.path_id
      left join blobs on blobs.id = image_packages.blob_id
      where image_packages.manifest_id = ${manifestId}
      order by packages.purl, paths.path`.compile(database.read),
  );
}

/** An advisory's entry that names a package, withdrawn or not. */
export interface NamingEntry extends AffectedEntry {
  readonly rowId: number;
  readonly position: number;
  readonly advisory: string;
  readonly source: string;
  readonly flaw: string;
  /** Milliseconds since 1970. */
  readonly withdrawnAt: number | null;
}

export async function entriesAbout(
  { engine, read }: Pick<Database, 'engine' | 'read'>,
  ecosystem: string,
  names: readonly string[],
): Promise<readonly NamingEntry[]> {
  const { rows } =
    await sql<NamingEntry>`select advisories.id as "rowId", entry.position, entry.ecosystem, entry.name,
      entry.affected, entry.severity, advisories.advisory_id as advisory, advisories.source, advisories.flaw,
      advisories.withdrawn_at as "withdrawnAt"
    from ${textTable(engine, names)} cross join advisory_packages as entry cross join advisories
    where entry.ecosystem = ${ecosystem} and entry.name = wanted.text and advisories.id = entry.advisory_id
    order by advisories.flaw, advisories.advisory_id, advisories.source, entry.position`.execute(read);
  return rows;
}

export interface FindingSpan {
  readonly advisoryId: number;
  readonly since: number;
  readonly until: number | null;
}

/** When findings of a package began and ended, the oldest first. */
export async function findingHistory(database: Database, packageId: number): Promise<readonly FindingSpan[]> {
  const rows = await database.read
    .selectFrom('findings')
    .select(['advisory_id', 'since', 'until'])
    .where('package_id', '=', packageId)
    .orderBy('since')
    .execute();
  return rows.map(({ advisory_id, since, until }) => ({ advisoryId: advisory_id, since, until }));
}
