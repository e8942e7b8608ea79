import type { Database } from '../db/database.ts';
import { keptPath, pathsEnsure } from './paths.ts';
import type { InventoryHardLink } from './rows.ts';

/** What one transaction writes. */
const linksAtOnce = 100;

/** Gives hard links the size and hash of what they lead to, of which the rows are there. */
export async function layerHardLinksKeep(
  database: Database,
  blobId: number,
  links: readonly InventoryHardLink[],
): Promise<void> {
  for (let at = 0; at < links.length; at += linksAtOnce) {
    const some = links.slice(at, at + linksAtOnce);
    await database.transact(async (tx) => {
      const named = some.map(({ path, target }) => ({ path: keptPath(path), target: keptPath(target) }));
      const ids = await pathsEnsure(tx, [...new Set(named.flatMap(({ path, target }) => [path, target]))]);
      const byTarget = Map.groupBy(named, ({ target }) => ids.get(target));
      const contents = await tx.db
        .selectFrom('layer_files')
        .select(['path_id', 'size_bytes', 'sha256'])
        .where('blob_id', '=', blobId)
        .where(
          'path_id',
          'in',
          [...byTarget.keys()].filter((id) => id !== undefined),
        )
        .where('kind', '=', 'file')
        .execute();
      for (const { path_id: targetId, size_bytes, sha256 } of contents) {
        const linkIds = (byTarget.get(targetId) ?? []).map(({ path }) => ids.get(path));
        await tx.db
          .updateTable('layer_files')
          .set({ size_bytes, sha256 })
          .where('blob_id', '=', blobId)
          .where(
            'path_id',
            'in',
            linkIds.filter((id) => id !== undefined),
          )
          .where('kind', '=', 'hardlink')
          .execute();
      }
    });
  }
}
