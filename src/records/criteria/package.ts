import { type RawBuilder, sql } from 'kysely';
import type { PackageByName, PackageByPurl, PackageCriteria } from '../../criteria/criteria.ts';
import { isPackageType, packageTypes } from '../../criteria/package-types.ts';
import { parsePackageName } from '../../criteria/purl.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globAlternatives, globMatcher, globPrefix } from '../../lib/globs.ts';
import { schemeOfPurlType } from '../../versions/schemes.ts';
import { parseVersionRange, type VersionRange } from '../../versions/vers.ts';
import type { Database } from '../db/database.ts';
import { type Engine, foldedName } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import { foundPackages } from './found-packages.ts';
import type { EvidenceRow, Hit, Leaf, LeafContext } from './leaf.ts';
import { textMayBe } from './text-may-be.ts';

/**
 * `package`: the distinct versions that are known of a package are few, and are compared here by the ecosystem's own
 * rules; the search over images is then for their ids. An image with a version that those rules can't compare is unknown,
 * and so is each where no extractor reads such packages.
 * @throws invalid
 */
export async function packageLeaf(criteria: PackageCriteria, context: LeafContext): Promise<Leaf> {
  const { database, scope } = context;
  const asked = criteria.package;
  const { known, type, matches, canTell } =
    'purl' in asked ? await byPurl(database, asked) : await byName(database, asked);
  const inImages = (of: (version: string) => boolean) => {
    const ids = known.filter((row) => of(row.version)).map((row) => row.id);
    return sql`${foundPackages(database, asked.in ?? 'image', scope)} where ${within(database, 'found.package_id', ids)}`;
  };
  const leaf = packageEvidenceLeaf(database, inImages(matches));
  if (type !== undefined && !isPackageType(type))
    return { ...leaf, unanswerable: `packages of the type '${type}' are not looked for in images` };
  if (known.every((row) => canTell(row.version))) return leaf;
  const incomparable = images(
    database,
    inImages((version) => !canTell(version)),
  );
  return {
    ...leaf,
    unknowns: [{ images: incomparable, because: 'a version of the package can’t be compared' }],
  };
}

/** A distinct version of a package. */
interface KnownPackage {
  readonly id: number;
  readonly name: string;
  readonly purl: string;
  readonly version: string;
}

interface Wanted extends Pick<VersionRange, 'matches' | 'canTell'> {
  readonly known: readonly KnownPackage[];
  readonly type: string | undefined;
}

async function byPurl(database: Database, { purl, versions }: PackageByPurl): Promise<Wanted> {
  const { type, name, version, distribution } = parsePackageName(purl);
  const named = folds(type)
    ? sql<boolean>`${foldedName(database.engine)} = ${name.toLowerCase()}`
    : sql<boolean>`name = ${name}`;
  const rows = await knownPackages(database, sql`purl_type = ${type} and ${named}`);
  // `pkg:deb/bash` is of any distribution.
  const start = distribution && `pkg:${type}/${encodeURIComponent(distribution)}/`;
  return {
    known: start === undefined ? rows : rows.filter((row) => row.purl.startsWith(start)),
    type,
    ...(versions === undefined ? oneVersion(type, version) : rangeOf(type, versions)),
  };
}

async function byName(database: Database, { type, name, versions }: PackageByName): Promise<Wanted> {
  const types = sql.join((type === undefined ? packageTypes : [type]).map((one) => sql`${one}`));
  const rows = await knownPackages(
    database,
    sql`purl_type in (${types}) and ${nameMayBe(database.engine, asEngineFolds(name))}`,
  );
  const isNamed = globMatcher(name);
  const isFolded = globMatcher(name.toLowerCase());
  return {
    known: rows.filter((row) =>
      folds(row.purl_type) ? isFolded(row.name.toLowerCase()) : isNamed(row.name),
    ),
    type,
    ...(type === undefined || versions === undefined
      ? oneVersion(type ?? '', undefined)
      : rangeOf(type, versions)),
  };
}

/** By the index of folded names where the glob begins with a text, and narrowed by what else it says. */
function nameMayBe(engine: Engine, glob: string): RawBuilder<unknown> {
  const folded = foldedName(engine);
  const prefix = globPrefix(glob);
  const narrowed = globAlternatives(glob).map((one) => textMayBe(folded, one));
  return sql.join(
    [
      ...(prefix === '' ? [] : [sql`${folded} >= ${prefix} and ${folded} < ${`${prefix}\u{10ffff}`}`]),
      sql`(${sql.join(narrowed, sql` or `)})`,
    ],
    sql` and `,
  );
}

/** Letters of ASCII only, as `lower` does in both engines. */
function asEngineFolds(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function knownPackages(database: Database, where: RawBuilder<unknown>) {
  return database.search(
    sql<
      KnownPackage & { purl_type: string }
    >`select id, name, purl, purl_type, version from packages where ${where}`.compile(database.read),
  );
}

/**
 * npm's and Go's purls fold case, while advisories write the name that the package has: `JSONStream`,
 * `github.com/BurntSushi/toml`. NuGet takes names in any case, and writes them as their owners do.
 */
function folds(type: string): boolean {
  return type === 'npm' || type === 'golang' || type === 'nuget';
}

/** undefined: any. In an rpm's purl the epoch is a qualifier, which criteria don't have. */
function oneVersion(type: string, wanted: string | undefined): Pick<VersionRange, 'matches' | 'canTell'> {
  return {
    matches: (version) =>
      wanted === undefined ||
      wanted === version ||
      (type === 'rpm' && wanted === version.replace(/^\d+:/, '')),
    canTell: () => true,
  };
}

function rangeOf(type: string, versions: string): VersionRange {
  const scheme = schemeOfPurlType(type);
  if (!scheme)
    throw new LazaretError('invalid', `versions of type '${type}' cannot be compared yet`, {
      detail: { path: 'package.versions' },
    });
  return parseVersionRange(versions, scheme);
}

/**
 * A search for packages, whatever chose them: `found` is to have a condition that others can be added to, and `shown` the
 * same without an index, since of few images all packages are fewer than all that were chosen.
 */
export function packageEvidenceLeaf(database: Database, found: RawBuilder<unknown>, shown = found): Leaf {
  return {
    matches: images(database, found),
    // PostgreSQL gathers what is to be distinct.
    ...(database.engine === 'postgres' ? { asFound: images(database, found, sql``) } : {}),
    unknowns: [],
    evidence: (manifestIds, limit) => evidenceQuery(database, shown, manifestIds, limit),
  };
}

function images(database: Database, found: RawBuilder<unknown>, distinct = sql`distinct`) {
  return sql<Hit>`select ${distinct} found.manifest_id from ${found}`.compile(database.read);
}

function evidenceQuery(
  database: Database,
  found: RawBuilder<unknown>,
  manifestIds: readonly number[],
  limit: number,
) {
  return sql<EvidenceRow>`select hit.manifest_id, blobs.digest as layer, paths.path, packages.purl, null as advisory,
      null as severity, null as fixed_version
    from (select * from ${found} and ${within(database, 'found.manifest_id', manifestIds)} limit ${limit}) as hit
    join blobs on blobs.id = hit.blob_id
    join paths on paths.id = hit.path_id
    join packages on packages.id = hit.package_id`.compile(database.read);
}
