import { type RawBuilder, sql } from 'kysely';
import type { PackageCriteria } from '../../criteria/criteria.ts';
import { type PackageName, parsePackageName } from '../../criteria/purl.ts';
import { LazaretError } from '../../lib/errors.ts';
import { schemeOfPurlType } from '../../versions/schemes.ts';
import { parseVersionRange, type VersionRange } from '../../versions/vers.ts';
import type { Reader } from '../db/engine.ts';
import { foundPackages, within } from './found-packages.ts';
import type { EvidenceRow, ImageScope, Leaf } from './leaf.ts';

/**
 * `package`: the distinct versions that are known of the package are few, and are compared here by the ecosystem's own
 * rules; the search over images is then for their ids. An image with a version that those rules can't compare is unknown.
 * @throws invalid
 */
export async function packageLeaf(db: Reader, criteria: PackageCriteria, scope: ImageScope): Promise<Leaf> {
  const { purl, versions, in: place = 'image' } = criteria.package;
  const wanted = parsePackageName(purl);
  const known = await db
    .selectFrom('packages')
    .select(['id', 'purl', 'version'])
    .where('purl_type', '=', wanted.type)
    .where(named(wanted))
    .execute();
  const { matches, canTell } = versionTest(wanted, versions);
  const asked = known.filter((row) => isOf(wanted, row.purl));
  const inImages = (of: (version: string) => boolean) => {
    const ids = asked.filter((row) => of(row.version)).map((row) => row.id);
    return sql`${foundPackages(place, scope)} where ${within('found.package_id', ids)}`;
  };
  const leaf = packageEvidenceLeaf(db, inImages(matches));
  if (asked.every((row) => canTell(row.version))) return leaf;
  return {
    ...leaf,
    unknowns: images(
      db,
      inImages((version) => !canTell(version)),
    ),
  };
}

/**
 * npm's and Go's purls fold case, while advisories write the name that the package has: `JSONStream`,
 * `github.com/BurntSushi/toml`. NuGet takes names in any case, and writes them as their owners do.
 */
function named({ type, name }: PackageName): RawBuilder<boolean> {
  const folds = type === 'npm' || type === 'golang' || type === 'nuget';
  return folds ? sql<boolean>`lower(name) = ${name.toLowerCase()}` : sql<boolean>`name = ${name}`;
}

/** `pkg:deb/bash` is of any distribution. */
function isOf({ type, distribution }: PackageName, purl: string): boolean {
  return distribution === undefined || purl.startsWith(`pkg:${type}/${encodeURIComponent(distribution)}/`);
}

function versionTest(
  wanted: PackageName,
  versions: string | undefined,
): Pick<VersionRange, 'matches' | 'canTell'> {
  if (versions === undefined)
    return {
      matches: (version) =>
        wanted.version === undefined ||
        wanted.version === version ||
        // In an rpm's purl the epoch is a qualifier, which criteria don't have.
        (wanted.type === 'rpm' && wanted.version === version.replace(/^\d+:/, '')),
      canTell: () => true,
    };
  const scheme = schemeOfPurlType(wanted.type);
  if (!scheme)
    throw new LazaretError('invalid', `versions of type '${wanted.type}' cannot be compared yet`, {
      detail: { path: 'package.versions' },
    });
  return parseVersionRange(versions, scheme);
}

/** A search for packages, whatever chose them: `found` is to have a condition that others can be added to. */
export function packageEvidenceLeaf(db: Reader, found: RawBuilder<unknown>): Leaf {
  return {
    matches: images(db, found),
    evidence: (manifestIds, limit) => evidenceQuery(db, found, manifestIds, limit),
  };
}

function images(db: Reader, found: RawBuilder<unknown>) {
  return sql<{ manifest_id: number }>`select distinct found.manifest_id from ${found}`.compile(db);
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
