import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { AdvisoryTable, FindingTable } from '../db/tables/advisories.ts';

/** An advisory that applies to a package that an image shows, or may apply. */
export interface ImageFinding {
  /** The rows of the two. */
  readonly packageId: number;
  readonly advisoryId: number;
  readonly advisory: string;
  /** The name that advisories of several sources have in common. */
  readonly flaw: string;
  readonly verdict: FindingTable['verdict'];
  readonly severity: AdvisoryTable['severity'];
  readonly fixedVersion: string | null;
  readonly purl: string;
  readonly name: string;
  readonly version: string;
}

/** Those that stand, by package and flaw, those that apply before those that may. */
export async function imageFindings(database: Database, manifestId: number): Promise<ImageFinding[]> {
  const rows = await database.search(
    sql<ImageFinding>`select distinct packages.id as "packageId", advisories.id as "advisoryId",
        advisories.advisory_id as advisory, advisories.flaw, findings.verdict, findings.severity,
        findings.fixed_version as "fixedVersion", packages.purl, packages.name, packages.version
      from image_packages
      join packages on packages.id = image_packages.package_id
      join findings on findings.package_id = packages.id and findings.until is null
      join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null
      where image_packages.manifest_id = ${manifestId}
      order by packages.id, advisories.flaw, findings.verdict, advisories.advisory_id, advisories.id`.compile(
      database.read,
    ),
  );
  return rows.map((row) => ({
    ...row,
    packageId: Number(row.packageId),
    advisoryId: Number(row.advisoryId),
  }));
}
