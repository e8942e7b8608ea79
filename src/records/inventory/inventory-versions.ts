/**
 * An inventory version is a list of extractors with their versions: what a layer was read with. Each list that this
 * region has ever read with has one number, which the rows of a layer's inspection carry; so the layers that a newer
 * extractor has to read again are found by an index. 0 is no version: not read, or read by another region only.
 */
import type { Database, Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { jobsRevive } from '../jobs/jobs.ts';

export interface ExtractorVersion {
  readonly name: string;
  readonly version: number;
}

export interface InventoryVersion {
  readonly id: number;
  /** When it was first read with. */
  readonly sinceMs: number;
  /** The versions that lack an extractor of this one, or have an older one. Others, also later ones, are as good. */
  readonly behind: readonly number[];
}

/** The version that `extractors` are; a list that is seen for the first time is given the next number. */
export async function inventoryVersionOf(
  database: Database,
  extractors: readonly ExtractorVersion[],
): Promise<InventoryVersion> {
  const text = textOf(extractors);
  const known = await versionList(database.read);
  const rows = known.some((row) => row.extractors === text)
    ? known
    : await database.transact((tx) => versionAdd(tx, text));
  const own = rows.find((row) => row.extractors === text);
  if (!own) throw new TypeError(`the inventory version '${text}' got no number`);
  const behind = rows.filter((row) => !covers(row.extractors, extractors)).map(({ id }) => id);
  return { id: own.id, sinceMs: own.first_used_at, behind };
}

/** Those of `extractors` that a version lacks, or has older ones of. */
export async function extractorsAhead<E extends ExtractorVersion>(
  db: Reader,
  versionId: number,
  extractors: readonly E[],
): Promise<readonly E[]> {
  const own = (await versionList(db)).find(({ id }) => id === versionId);
  return extractors.filter((one) => !covers(own?.extractors ?? '', [one]));
}

/** Layers that could not be read again get another chance. */
async function versionAdd(tx: Tx, text: string) {
  await tx.db
    .insertInto('inventory_versions')
    .values({ extractors: text, first_used_at: tx.nowMs })
    .onConflict((c) => c.column('extractors').doNothing())
    .execute();
  await jobsRevive(tx, 'inspect');
  return versionList(tx.db);
}

function versionList(db: Reader) {
  return db.selectFrom('inventory_versions').selectAll().orderBy('id').execute();
}

/** `apk@1 dpkg@2`, in the order of the names. */
function textOf(extractors: readonly ExtractorVersion[]): string {
  return extractors
    .map(({ name, version }) => `${name}@${version}`)
    .sort()
    .join(' ');
}

function covers(text: string, extractors: readonly ExtractorVersion[]): boolean {
  const versions = new Map(
    text.split(' ').map((one) => {
      const at = one.lastIndexOf('@');
      return [one.slice(0, at), Number(one.slice(at + 1))];
    }),
  );
  return extractors.every(({ name, version }) => (versions.get(name) ?? 0) >= version);
}
