import { spdxOf } from '../../licences/spdx-of.ts';
import type { MatchedPackage } from '../advisories/finding-rows.ts';
import { findingsOfNewPackages, packagesTurn } from '../advisories/findings.ts';
import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import { type PackageFacts, storable } from './rows.ts';

/** What makes a package distinct: a purl folds the case of some names that are different packages to advisories. */
export function packageKey({ purl, name }: Pick<PackageFacts, 'purl' | 'name'>): string {
  return `${purl}\n${name}`;
}

/**
 * The ids of all, by key; those that were missing are added and matched with the advisories in the same transaction.
 * Give it few at a time (100), since the matching takes its time too.
 */
export async function packagesEnsure(
  tx: Tx,
  packages: readonly PackageFacts[],
): Promise<Map<string, number>> {
  const wanted = new Map(packages.map((found) => [packageKey(found), found]));
  const known = await packagesFind(tx.db, [...wanted.values()]);
  await licencesAdd(tx, wanted, known);
  const ids = new Map([...known].map(([key, { id }]) => [key, id]));
  const missing = [...wanted].filter(([key]) => !ids.has(key)).map(([, found]) => found);
  if (missing.length === 0) return ids;
  await packagesTurn(tx);
  const added = await packagesInsert(tx, missing);
  for (const row of added) ids.set(packageKey(row), row.id);
  await findingsOfNewPackages(tx, added);
  const lost = missing.filter((found) => !ids.has(packageKey(found)));
  // Someone else added, and matched, them meanwhile.
  for (const [key, { id }] of await packagesFind(tx.db, lost)) ids.set(key, id);
  return ids;
}

/**
 * What one package version says of its licence does not change, but not every layer has what says it (Debian's
 * copyright files are often left out): the first that was read stays.
 */
async function licencesAdd(
  tx: Tx,
  wanted: ReadonlyMap<string, PackageFacts>,
  known: ReadonlyMap<string, KnownPackage>,
): Promise<void> {
  for (const [key, { id, license: kept }] of known) {
    const license = wanted.get(key)?.license;
    if (kept !== null || license === undefined) continue;
    await tx.db
      .updateTable('packages')
      .set(licenceColumns(license))
      .where('id', '=', id)
      .where('license', 'is', null)
      .execute();
  }
}

interface KnownPackage {
  readonly id: number;
  readonly license: string | null;
}

async function packagesFind(
  db: Reader,
  packages: readonly PackageFacts[],
): Promise<Map<string, KnownPackage>> {
  const found = new Map<string, KnownPackage>();
  const wanted = new Set(packages.map(packageKey));
  for (const part of chunked(packages.map(({ purl }) => ({ purl })))) {
    const rows = await db
      .selectFrom('packages')
      .select(['id', 'purl', 'name', 'license'])
      .where(
        'purl',
        'in',
        part.map(({ purl }) => purl),
      )
      .execute();
    for (const row of rows) if (wanted.has(packageKey(row))) found.set(packageKey(row), row);
  }
  return found;
}

async function packagesInsert(
  tx: Tx,
  packages: readonly PackageFacts[],
): Promise<(MatchedPackage & Pick<PackageFacts, 'purl'>)[]> {
  const added: (MatchedPackage & Pick<PackageFacts, 'purl'>)[] = [];
  // In one order everywhere, so that two transactions that add the same ones can't wait for each other.
  const sorted = packages.toSorted((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1));
  for (const part of chunked(sorted)) {
    const rows = await tx.db
      .insertInto('packages')
      .values(part.map((found) => packageRow(tx, found)))
      .onConflict((c) => c.columns(['purl', 'name']).doNothing())
      .returning(['id', 'purl', 'ecosystem', 'name', 'version'])
      .returning(['source_name as sourceName', 'source_version as sourceVersion'])
      .execute();
    added.push(...rows);
  }
  return added;
}

function packageRow(tx: Tx, found: PackageFacts) {
  const { purl, ecosystem, name, version, sourceName, sourceVersion, license } = found;
  return {
    purl,
    purl_type: purl.slice('pkg:'.length, purl.indexOf('/')),
    ecosystem,
    name,
    version,
    source_name: sourceName ?? null,
    source_version: sourceVersion ?? null,
    ...licenceColumns(license),
    first_seen_at: tx.nowMs,
  };
}

function licenceColumns(license: string | undefined) {
  return license === undefined
    ? { license: null, spdx: null }
    : { license: storable(license), spdx: spdxOf(license) };
}
