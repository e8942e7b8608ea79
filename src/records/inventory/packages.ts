import { hash } from 'node:crypto';
import { spdxOf } from '../../licences/spdx-of.ts';
import type { MatchedPackage } from '../advisories/finding-rows.ts';
import { findingsOfNewPackages, packagesTurn } from '../advisories/findings.ts';
import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';
import { type PackageFacts, storable } from './rows.ts';

type Identity = Pick<PackageFacts, 'purl' | 'name' | 'ecosystem' | 'sourceName' | 'sourceVersion'>;

/**
 * What makes a package distinct: a purl folds the case of some names that are different packages to advisories, and says
 * nothing of the source, by which advisories name a package of a distribution. Otherwise whoever pushed a package first
 * would say of which source everybody's is.
 */
export function packageKey(facts: Identity): string {
  return keyOf({ ...facts, origin: originOf(facts) });
}

const originLength = 16;

/** Short enough for an index; empty where no source is told. */
function originOf({ ecosystem, sourceName, sourceVersion }: Identity): string {
  if (sourceName === undefined && sourceVersion === undefined) return '';
  const text = JSON.stringify([ecosystem, sourceName ?? null, sourceVersion ?? null]);
  return hash('sha256', text, 'base64url').slice(0, originLength);
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
  for (const row of added) ids.set(keyOf(row), row.id);
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

interface DistinctRow {
  readonly purl: string;
  readonly name: string;
  readonly origin: string;
}

/** As `packageKey` of what the row is of. */
function keyOf({ purl, name, origin }: DistinctRow): string {
  return `${purl}\n${name}\n${origin}`;
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
      .select(['id', 'purl', 'name', 'origin', 'license'])
      .where(
        'purl',
        'in',
        part.map(({ purl }) => purl),
      )
      .execute();
    for (const row of rows) if (wanted.has(keyOf(row))) found.set(keyOf(row), row);
  }
  return found;
}

async function packagesInsert(
  tx: Tx,
  packages: readonly PackageFacts[],
): Promise<(MatchedPackage & DistinctRow)[]> {
  const added: (MatchedPackage & DistinctRow)[] = [];
  // In one order everywhere, so that two transactions that add the same ones can't wait for each other.
  const sorted = packages.toSorted((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1));
  for (const part of chunked(sorted)) {
    const rows = await tx.db
      .insertInto('packages')
      .values(part.map((found) => packageRow(tx, found)))
      .onConflict((c) => c.columns(['purl', 'name', 'origin']).doNothing())
      .returning(['id', 'purl', 'origin', 'ecosystem', 'name', 'version'])
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
    origin: originOf(found),
    ...licenceColumns(license),
    first_seen_at: tx.nowMs,
  };
}

function licenceColumns(license: string | undefined) {
  return license === undefined
    ? { license: null, spdx: null }
    : { license: storable(license), spdx: spdxOf(license) };
}
