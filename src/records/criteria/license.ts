import { type RawBuilder, sql } from 'kysely';
import type { LicenseCriteria, MatchPlace } from '../../criteria/criteria.ts';
import { licencesNamed } from '../../criteria/license.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import {
  type Expression,
  isNamed,
  isSatisfied,
  licencesIn,
  parseExpression,
  unknownLicence,
} from '../../licences/expression.ts';
import type { Database } from '../db/database.ts';
import { type Engine, textTable } from '../db/engine.ts';
import { isOneOf, within } from '../db/keys.ts';
import { foundPackages } from './found-packages.ts';
import type { Hit, Leaf, LeafContext } from './leaf.ts';
import { packageEvidenceLeaf } from './package.ts';

/**
 * `license`: the distinct expressions that packages have are few, and are compared here; the search is then for the
 * packages that have one of them. Where a package's licence was not understood, or only in part, it may be the one that
 * is asked for, and the image is unknown.
 * @throws tooLarge
 */
export async function licenseLeaf(criteria: LicenseCriteria, context: LeafContext): Promise<Leaf> {
  const { database, scope } = context;
  const { in: place = 'image' } = criteria.license;
  const meets = testOf(criteria.license);
  const matching: string[] = [];
  const unsure: string[] = [];
  for (const spdx of await knownExpressions(database)) {
    const expression = parseExpression(spdx);
    const answer = expression && meets(expression);
    if (answer === true) matching.push(spdx);
    else if (answer === undefined) unsure.push(spdx);
  }
  const having = (expressions: readonly string[]) => packagesUnder(database.engine, expressions);
  const places = foundPackages(database, place, scope);
  const [few, unsureImages] = await Promise.all([
    fewOf(database, having(matching)),
    imagesWith(context, place, having(unsure)),
  ]);
  const asked = few === undefined ? sql`in (${having(matching)})` : isOneOf(database, few);
  const found = sql`${places} where found.package_id ${asked}`;
  const shown = sql`${places} where found.package_id + 0 ${asked}`;
  return {
    ...packageEvidenceLeaf(database, found, shown),
    unknowns: [
      {
        images: unsureImages.compile(database.read),
        because: 'the licence of a package is not understood',
      },
    ],
  };
}

/** PostgreSQL tells by the values themselves how many packages have them, and not by a table of them. */
function packagesUnder(engine: Engine, expressions: readonly string[]): RawBuilder<unknown> {
  return engine === 'postgres'
    ? sql`select packages.id from packages where packages.spdx = any(${expressions}::text[])`
    : sql`select packages.id from packages join ${textTable(engine, expressions)} on wanted.text = packages.spdx`;
}

/** undefined: it depends on a part that was not understood. */
function testOf({
  anyOf,
  notSatisfiedBy = [],
}: LicenseCriteria['license']): (expression: Expression) => boolean | undefined {
  if (anyOf === undefined) {
    const allowed = licencesNamed(notSatisfiedBy);
    return (expression) => {
      const satisfied = isSatisfied(expression, allowed);
      return satisfied === undefined ? undefined : !satisfied;
    };
  }
  const asked = licencesNamed(anyOf);
  return (expression) => {
    const licences = licencesIn(expression);
    if (licences.some((licence) => asked.some((one) => isNamed(one, licence)))) return true;
    return licences.some(({ id }) => id === unknownLicence) ? undefined : false;
  };
}

/** Each once: from one to the next in the index, since there are many packages and few expressions. */
async function knownExpressions({ read }: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ spdx: string }>`with recursive known (spdx) as (
      select min(spdx) from packages
      union all select (select min(packages.spdx) from packages where packages.spdx > known.spdx)
        from known where known.spdx is not null)
    select spdx from known where spdx is not null limit ${limits.licenceExpressionsMax + 1}`.execute(read);
  if (rows.length > limits.licenceExpressionsMax)
    throw new LazaretError(
      'tooLarge',
      `more than ${limits.licenceExpressionsMax} licence expressions are known`,
    );
  return rows.map(({ spdx }) => spdx);
}

/**
 * Where few packages are so, by those; else image by image, most of which then have such a package among their first.
 */
async function imagesWith(
  { database, scope }: LeafContext,
  place: MatchPlace,
  unsure: RawBuilder<unknown>,
): Promise<RawBuilder<Hit>> {
  const all = sql`select packages.id from packages where packages.spdx is null
    union all select * from (${unsure}) as unsure`;
  const few = scope === undefined ? await fewOf(database, all) : undefined;
  if (few)
    return sql<Hit>`select distinct found.manifest_id from ${foundPackages(database, place, scope)}
      where found.package_id ${isOneOf(database, few)}`;
  const held =
    place === 'image'
      ? sql`image_packages as found join packages on packages.id = found.package_id
          where found.manifest_id = images.manifest_id`
      : sql`edges join blobs on blobs.digest = edges.digest
          join layer_packages as found on found.blob_id = blobs.id
          join packages on packages.id = found.package_id
          where edges.kind = 'layer' and edges.manifest_id = images.manifest_id`;
  return sql<Hit>`select images.manifest_id from images
    where ${within(database, 'images.manifest_id', scope)} and exists (select 1 from ${held}
      and (packages.spdx is null or packages.id in (${unsure})))`;
}

const fewPackages = 1_000;

/** The keys themselves, so that the engine knows how few they are; undefined: they are not. */
async function fewOf(database: Database, ids: RawBuilder<unknown>): Promise<readonly number[] | undefined> {
  const rows = await database.search(
    sql<{ id: number }>`select few.id from (${ids}) as few limit ${sql.lit(fewPackages + 1)}`.compile(
      database.read,
    ),
  );
  return rows.length > fewPackages ? undefined : rows.map(({ id }) => id);
}
