import { sql } from 'kysely';
import type { Database } from '../db/database.ts';

const distributionTypes: readonly string[] = ['deb', 'apk', 'rpm'];

/**
 * Whose advisories the packages in the layers of an image need, hidden or not, as a JSON list in order: `["Debian:12",
 * "npm"]`. Packages of a distribution that nobody knows are `deb packages of an unknown distribution`, for which there can
 * be none; a program of no ecosystem needs none.
 */
export async function ecosystemsOf(database: Database, manifestId: number): Promise<string> {
  const rows = await database.search(
    sql<{ ecosystem: string; purl_type: string }>`select distinct packages.ecosystem, packages.purl_type
      from edges join blobs on blobs.digest = edges.digest
      join layer_packages on layer_packages.blob_id = blobs.id
      join packages on packages.id = layer_packages.package_id
      where edges.manifest_id = ${manifestId} and edges.kind = 'layer'`.compile(database.read),
  );
  const names = rows.flatMap(({ ecosystem, purl_type }) => {
    if (ecosystem !== '') return [ecosystem];
    return distributionTypes.includes(purl_type) ? [`${purl_type} packages of an unknown distribution`] : [];
  });
  return JSON.stringify([...new Set(names)].sort());
}
