import { type RawBuilder, sql } from 'kysely';
import type { PackageCriteria } from '../../criteria/criteria.ts';
import { parsePackageName } from '../../criteria/purl.ts';
import { LazaretError } from '../../lib/errors.ts';
import { schemeOfPurlType } from '../../versions/schemes.ts';
import { parseVersionRange } from '../../versions/vers.ts';
import type { Reader } from '../db/engine.ts';
import { foundPackages, within } from './found-packages.ts';
import type { EvidenceRow, ImageScope, Leaf } from './leaf.ts';

/**
 * `package`: the distinct versions that are known of the package are few, and are compared here by the ecosystem's own
 * rules; the search over images is then for their ids.
 * @throws invalid
 */
export async function packageLeaf(db: Reader, criteria: PackageCriteria, scope: ImageScope): Promise<Leaf> {
  const { purl, versions, in: place = 'image' } = criteria.package;
  const wanted = parsePackageName(purl);
  const known = await db
    .selectFrom('packages')
    .select(['id', 'version'])
    .where('purl_type', '=', wanted.type)
    .where(named(wanted))
    .execute();
  const matches = versionTest(wanted, versions);
  const ids = known.filter((row) => matches(row.version)).map((row) => row.id);
  const found = sql`${foundPackages(place, scope)} where ${within('found.package_id', ids)}`;
  return packageEvidenceLeaf(db, found);
}

/** npm's purls fold case, while packages older than that rule keep the name that advisories write: `JSONStream`. */
function named({ type, name }: { type: string; name: string }): RawBuilder<boolean> {
  return type === 'npm' ? sql<boolean>`lower(name) = ${name.toLowerCase()}` : sql<boolean>`name = ${name}`;
}

function versionTest(wanted: { type: string; version: string | undefined }, versions: string | undefined) {
  if (versions === undefined)
    return (version: string) => wanted.version === undefined || wanted.version === version;
  const scheme = schemeOfPurlType(wanted.type);
  if (!scheme)
    throw new LazaretError('invalid', `versions of type '${wanted.type}' cannot be compared yet`, {
      detail: { path: 'package.versions' },
    });
  const range = parseVersionRange(versions, scheme);
  return (version: string) => range.matches(version);
}

function packageEvidenceLeaf(db: Reader, found: RawBuilder<unknown>): Leaf {
  return {
    matches: sql<{ manifest_id: number }>`select distinct found.manifest_id from ${found}`.compile(db),
    evidence: (manifestIds, limit) => evidenceQuery(db, found, manifestIds, limit),
  };
}

function evidenceQuery(
  db: Reader,
  found: RawBuilder<unknown>,
  manifestIds: readonly number[],
  limit: number,
) {
  return sql<EvidenceRow>`select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, null as advisory,
      null as severity, null as fixed_version
    from (select * from ${found} and ${within('found.manifest_id', manifestIds)} limit ${limit}) as hit
    join blobs on blobs.id = hit.blob_id
    join paths on paths.id = hit.path_id
    join packages on packages.id = hit.package_id`.compile(db);
}
