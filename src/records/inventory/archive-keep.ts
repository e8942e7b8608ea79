/**
 * Keeps what is in an archive, once for each content: of one that is known already no more is written than that it was
 * seen, and that not often. In short transactions; only the last says that all is there, so that a read that was cut off
 * is done again. What was seen lately is not forgotten (records/collection/archives.ts): the layer that is being read has
 * yet to name it.
 */
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import type { Database, Tx } from '../db/database.ts';
import { chunked } from '../db/engine.ts';
import { type InventoryArchive, storable } from './rows.ts';

const filesAtOnce = 250;
const hashBytes = 32;

/** Longer than any layer is read, and then some. */
export const archiveRestMs = 4 * (limits.layerInspectMs + limits.layerStuckMs);
const seenEveryMs = archiveRestMs / 4;

export async function archiveKeep(
  { database, clock }: { readonly database: Database; readonly clock: Pick<Clock, 'wallMs'> },
  archive: InventoryArchive,
): Promise<void> {
  const known = await database.read
    .selectFrom('archives')
    .select(['id', 'version', 'seen_at'])
    .where('sha256', '=', Buffer.from(archive.sha256))
    .executeTakeFirst();
  const isSeen = known !== undefined && known.seen_at >= clock.wallMs() - seenEveryMs;
  const { id, version } = isSeen ? known : await database.transact((tx) => archiveSeen(tx, archive.sha256));
  if (version < archive.version) await filesKeep(database, id, archive);
  // In one order everywhere, so that two transactions that see the same can't wait for each other.
  const nested = archive.nested.toSorted((a, b) => Buffer.compare(a.sha256, b.sha256));
  for (let at = 0; at < nested.length; at += filesAtOnce)
    await database.transact((tx) => nestingsKeep(tx, id, nested.slice(at, at + filesAtOnce)));
}

async function filesKeep(database: Database, id: number, archive: InventoryArchive): Promise<void> {
  for (let at = 0; at < archive.paths.length; at += filesAtOnce)
    await database.transact((tx) => fileRowsKeep(tx, id, { archive, at }));
  await database.transact((tx) =>
    tx.db.updateTable('archives').set({ version: archive.version }).where('id', '=', id).execute(),
  );
}

async function archiveSeen(tx: Tx, sha256: Uint8Array): Promise<{ id: number; version: number }> {
  const key = Buffer.from(sha256);
  const seenBefore = tx.nowMs - seenEveryMs;
  const written = await tx.db
    .insertInto('archives')
    .values({ sha256: key, version: 0, seen_at: tx.nowMs })
    .onConflict((c) =>
      c.column('sha256').doUpdateSet({ seen_at: tx.nowMs }).where('archives.seen_at', '<', seenBefore),
    )
    .returning(['id', 'version'])
    .executeTakeFirst();
  if (written) return written;
  return tx.db
    .selectFrom('archives')
    .select(['id', 'version'])
    .where('sha256', '=', key)
    .executeTakeFirstOrThrow();
}

async function fileRowsKeep(
  tx: Tx,
  archiveId: number,
  { archive, at }: { readonly archive: InventoryArchive; readonly at: number },
): Promise<void> {
  const paths = archive.paths.slice(at, at + filesAtOnce).map((path) => splitMember(storable(path)));
  const ids = await pathsEnsure(tx, paths);
  const rows = new Map<
    number,
    { archive_id: number; path_id: number; size_bytes: number; sha256: Buffer | null }
  >();
  for (const [index, path] of paths.entries()) {
    const pathId = ids.get(keyOf(path));
    if (pathId === undefined) throw new TypeError(`the path '${keyOf(path)}' got no id`);
    const sha256 = archive.hashes.subarray((at + index) * hashBytes, (at + index + 1) * hashBytes);
    rows.set(pathId, {
      archive_id: archiveId,
      path_id: pathId,
      size_bytes: archive.sizes[at + index] ?? 0,
      sha256: sha256.every((byte) => byte === 0) ? null : Buffer.from(sha256),
    });
  }
  for (const part of chunked([...rows.values()]))
    await tx.db
      .insertInto('archive_files')
      .values([...part])
      .onConflict((c) =>
        c.columns(['archive_id', 'path_id']).doUpdateSet((e) => ({
          size_bytes: e.ref('excluded.size_bytes'),
          sha256: e.ref('excluded.sha256'),
        })),
      )
      .execute();
}

interface MemberPath {
  /** Empty, or with a slash at its end. */
  readonly folder: string;
  readonly name: string;
}

function splitMember(path: string): MemberPath {
  const slash = path.lastIndexOf('/') + 1;
  return { folder: path.slice(0, slash), name: path.slice(slash) };
}

function keyOf({ folder, name }: MemberPath): string {
  return folder + name;
}

async function pathsEnsure(tx: Tx, paths: readonly MemberPath[]): Promise<Map<string, number>> {
  const found = await pathsFind(tx, paths);
  // In one order everywhere, so that two transactions that add the same can't wait for each other.
  const missing = [...new Map(paths.map((path) => [keyOf(path), path])).entries()]
    .filter(([key]) => !found.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, path]) => path);
  for (const part of chunked(missing))
    await tx.db
      .insertInto('archive_paths')
      .values([...part])
      .onConflict((c) => c.columns(['name', 'folder']).doNothing())
      .execute();
  for (const [key, id] of await pathsFind(tx, missing)) found.set(key, id);
  return found;
}

async function pathsFind(tx: Tx, paths: readonly MemberPath[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const part of chunked([...paths])) {
    const rows = await tx.db
      .selectFrom('archive_paths')
      .selectAll()
      .where((e) =>
        e.or(part.map(({ folder, name }) => e.and([e('name', '=', name), e('folder', '=', folder)]))),
      )
      .execute();
    for (const row of rows) found.set(keyOf(row), row.id);
  }
  return found;
}

async function nestingsKeep(tx: Tx, archiveId: number, nested: InventoryArchive['nested']): Promise<void> {
  for (const { path, sha256 } of nested) {
    const { id: nestedId } = await archiveSeen(tx, sha256);
    await tx.db
      .insertInto('archive_nestings')
      .values({ archive_id: archiveId, nested_id: nestedId, path: storable(path) })
      .onConflict((c) => c.columns(['archive_id', 'nested_id']).doNothing())
      .execute();
  }
}
