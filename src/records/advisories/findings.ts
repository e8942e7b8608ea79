/**
 * Which advisory applies to which distinct package version. Both sides look up only what is new: a new or changed
 * advisory the packages that it names, a new package the advisories that name it. Most distributions' advisories name
 * source packages, all others the packages themselves; names are compared as `matchedName` spells them.
 *
 * The two meet without missing each other because they take turns (`turnTaken`): who adds packages shares the turn, who
 * changes advisories has it alone, and each looks only after it has the turn, so it sees what the other has committed.
 * A finding that ends keeps its row, with `until`; one that comes back is a new row.
 */
import { namesSources } from '../../versions/distributions.ts';
import { matchedName } from '../../versions/package-names.ts';
import type { Tx } from '../db/database.ts';
import { turnTaken } from '../db/engine.ts';
import type { FindingTable } from '../db/tables/advisories.ts';
import { type AffectedEntry, type Judgement, judge } from './affected.ts';
import {
  type EntryOfAdvisory,
  entriesNaming,
  findingsEnd,
  findingsInsert,
  findingUpdate,
  type MatchedPackage,
  type OpenFinding,
  openFindings,
  packagesNamed,
} from './finding-rows.ts';

const matchingTurn = 7_205_760;

/** Before packages are added: until the transaction ends no advisory changes. */
export function packagesTurn(tx: Tx): Promise<void> {
  return turnTaken(tx, matchingTurn, 'shared');
}

/** Before advisories are changed: until the transaction ends no package is added. */
export function advisoriesTurn(tx: Tx): Promise<void> {
  return turnTaken(tx, matchingTurn, 'exclusive');
}

/** For packages that were added in this transaction. */
export async function findingsOfNewPackages(tx: Tx, packages: readonly MatchedPackage[]): Promise<void> {
  const wanted = byEcosystem(packages.map((one) => ({ ecosystem: one.ecosystem, name: advisoryName(one) })));
  const entries = new Map<string, EntryOfAdvisory[]>();
  for (const [ecosystem, names] of wanted)
    for (const entry of await entriesNaming(tx, ecosystem, names)) push(entries, key(entry), entry);
  const rows = packages.flatMap((found) => {
    const named = entries.get(key({ ecosystem: found.ecosystem, name: advisoryName(found) })) ?? [];
    return [...Map.groupBy(named, (entry) => entry.advisoryId)].flatMap(([advisoryId, ofOne]) => {
      const judgement = judge(ofOne, advisoryVersion(found));
      return judgement ? [findingRow(tx, { packageId: found.id, advisoryId }, judgement)] : [];
    });
  });
  await findingsInsert(tx, rows);
}

/** An advisory as it is now; no entries if it is withdrawn. */
export interface ChangedAdvisory {
  readonly id: number;
  /** It has no findings yet. */
  readonly isNew?: boolean;
  readonly entries: readonly AffectedEntry[];
}

export interface FindingsChange {
  readonly new: number;
  readonly ended: number;
  /** Whose findings are new, ended or otherwise. */
  readonly packageIds: ReadonlySet<number>;
}

/** Makes the findings of these advisories be what their entries say. */
export async function findingsOfAdvisories(
  tx: Tx,
  advisories: readonly ChangedAdvisory[],
): Promise<FindingsChange> {
  const packages = new Map<string, MatchedPackage[]>();
  for (const [ecosystem, names] of byEcosystem(advisories.flatMap(({ entries }) => entries)))
    for (const found of await packagesNamed(tx, ecosystem, names))
      push(packages, key({ ecosystem, name: advisoryName(found) }), found);
  const open = await openFindings(
    tx,
    advisories.flatMap(({ id, isNew }) => (isNew ? [] : [id])),
  );
  const fresh: FindingTable[] = [];
  const packageIds = new Set<number>();
  let ended = 0;
  for (const advisory of advisories) {
    const standing = open.get(advisory.id) ?? new Map<number, OpenFinding>();
    for (const [packageId, judgement] of judgements(advisory, packages)) {
      const before = standing.get(packageId);
      standing.delete(packageId);
      if (before && same(before, judgement)) continue;
      packageIds.add(packageId);
      if (before) await findingUpdate(tx, before, judgement);
      else fresh.push(findingRow(tx, { packageId, advisoryId: advisory.id }, judgement));
    }
    ended += standing.size;
    for (const packageId of standing.keys()) packageIds.add(packageId);
    await findingsEnd(tx, advisory.id, [...standing.keys()]);
  }
  await findingsInsert(tx, fresh);
  return { new: fresh.length, ended, packageIds };
}

function judgements(
  advisory: ChangedAdvisory,
  packages: ReadonlyMap<string, readonly MatchedPackage[]>,
): Map<number, Judgement> {
  const found = new Map<number, Judgement>();
  for (const [name, entries] of Map.groupBy(advisory.entries, key))
    for (const candidate of packages.get(name) ?? []) {
      const judgement = judge(entries, advisoryVersion(candidate));
      if (judgement) found.set(candidate.id, judgement);
    }
  return found;
}

/** By which advisories name the package. */
export function advisoryName({ ecosystem, name, sourceName }: MatchedPackage): string {
  return namesSources(ecosystem) ? (sourceName ?? name) : matchedName(ecosystem, name);
}

/** With which they compare. */
export function advisoryVersion({ ecosystem, version, sourceVersion }: MatchedPackage): string {
  return namesSources(ecosystem) ? (sourceVersion ?? version) : version;
}

function key({ ecosystem, name }: { readonly ecosystem: string; readonly name: string }): string {
  return `${ecosystem}\n${name}`;
}

function push<T>(map: Map<string, T[]>, at: string, value: T): void {
  const list = map.get(at);
  if (list) list.push(value);
  else map.set(at, [value]);
}

function byEcosystem(
  named: readonly { readonly ecosystem: string; readonly name: string }[],
): Map<string, string[]> {
  const groups = Map.groupBy(named, ({ ecosystem }) => ecosystem);
  return new Map(
    [...groups].map(([ecosystem, all]) => [ecosystem, [...new Set(all.map(({ name }) => name))]]),
  );
}

function same(before: OpenFinding, now: Judgement): boolean {
  const { verdict, fixed_version: fixedVersion, severity } = before;
  return verdict === now.verdict && fixedVersion === now.fixedVersion && severity === now.severity;
}

function findingRow(
  tx: Tx,
  { packageId, advisoryId }: { packageId: number; advisoryId: number },
  { verdict, fixedVersion, severity }: Judgement,
): FindingTable {
  return {
    package_id: packageId,
    advisory_id: advisoryId,
    verdict,
    fixed_version: fixedVersion,
    severity,
    since: tx.nowMs,
    until: null,
  };
}
