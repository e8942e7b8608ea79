import type { Database } from '../db/database.ts';
import { keptPath, pathsEnsure } from './paths.ts';
import type { InventorySecret } from './rows.ts';

const secretsAtOnce = 250;

export async function layerSecretsKeep(
  database: Database,
  blobId: number,
  secrets: readonly InventorySecret[],
): Promise<void> {
  for (let at = 0; at < secrets.length; at += secretsAtOnce) {
    const some = secrets.slice(at, at + secretsAtOnce).map((one) => ({ ...one, path: keptPath(one.path) }));
    await database.transact(async (tx) => {
      const ids = await pathsEnsure(tx, [...new Set(some.map(({ path }) => path))]);
      const rows = some.flatMap(({ path, line, kind, fingerprint, keyVersion }) => {
        const pathId = ids.get(path);
        if (pathId === undefined) return [];
        const value = { fingerprint: Buffer.from(fingerprint), key_version: keyVersion };
        return [{ blob_id: blobId, path_id: pathId, line, kind, ...value }];
      });
      if (rows.length === 0) return;
      await tx.db
        .insertInto('layer_secrets')
        .values(rows)
        .onConflict((c) => c.columns(['blob_id', 'path_id', 'line', 'kind', 'fingerprint']).doNothing())
        .execute();
    });
  }
}

/** What a former read of the layer found. */
export async function layerSecretsForget(database: Database, blobId: number): Promise<void> {
  const former = await database.read
    .selectFrom('layer_secrets')
    .select('blob_id')
    .where('blob_id', '=', blobId)
    .limit(1)
    .execute();
  if (former.length === 0) return;
  await database.transact((tx) => tx.db.deleteFrom('layer_secrets').where('blob_id', '=', blobId).execute());
}
