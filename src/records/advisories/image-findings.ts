import { sql } from 'kysely';
import type { Database } from '../db/database.ts';

/** An advisory that applies to a package that an image shows, or may apply. */
export interface ImageFinding {
  readonly advisory: string;
  readonly severity: string;
  readonly purl: string;
  readonly name: string;
  readonly version: string;
}

/** Those that stand. */
export function imageFindings(database: Database, manifestId: number): Promise<ImageFinding[]> {
  return database.search(
    sql<ImageFinding>`select distinct advisories.advisory_id as advisory, findings.severity, packages.purl,
        packages.name, packages.version
      from image_packages
      join packages on packages.id = image_packages.package_id
      join findings on findings.package_id = packages.id and findings.until is null
      join advisories on advisories.id = findings.advisory_id and advisories.withdrawn_at is null
      where image_packages.manifest_id = ${manifestId}`.compile(database.read),
  );
}
