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
import { textTable } from '../db/engine.ts';
import { foundPackages, within } from './found-packages.ts';
import type { Hit, ImageScope, Leaf, LeafContext } from './leaf.ts';
import { packageEvidenceLeaf } from './package.ts';

/**
 * `license`: the distinct expressions that packages have are few, and are compared here; the search is then for the
 * packages that have one of them. Where a package's licence was not understood, or only in part, it may be the one that
 * is asked for, and the image is unknown.
 * @throws tooLarge
 */
export async function licenseLeaf(
  criteria: LicenseCriteria,
  { database, scope }: LeafContext,
): Promise<Leaf> {
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
  const having = (expressions: readonly string[]) =>
    sql`select packages.id from packages join ${textTable(database.engine, expressions)} on wanted.text = packages.spdx`;
  const found = sql`${foundPackages(place, scope)} where found.package_id in (${having(matching)})`;
  return {
    ...packageEvidenceLeaf(database.read, found),
    unknowns: [
      {
        images: imagesWith(
          place,
          scope,
          sql`packages.spdx is null or packages.id in (${having(unsure)})`,
        ).compile(database.read),
        because: 'the licence of a package is not understood',
      },
    ],
  };
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

/** Asked image by image, since most have such a package among their first. */
function imagesWith(place: MatchPlace, scope: ImageScope, which: RawBuilder<unknown>) {
  const held =
    place === 'image'
      ? sql`image_packages as found join packages on packages.id = found.package_id
          where found.manifest_id = images.manifest_id`
      : sql`edges join blobs on blobs.digest = edges.digest
          join layer_packages as found on found.blob_id = blobs.id
          join packages on packages.id = found.package_id
          where edges.kind = 'layer' and edges.manifest_id = images.manifest_id`;
  return sql<Hit>`select images.manifest_id from images
    where ${within('images.manifest_id', scope)} and exists (select 1 from ${held} and (${which}))`;
}
