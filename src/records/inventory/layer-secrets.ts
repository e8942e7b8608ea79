import type { Database } from '../db/database.ts';
import { keptPath, pathsEnsure } from './paths.ts';
import type { InventorySecret } from './rows.ts';

const secretsAtOnce = 250;

/** @returns where they are, for `formerSecretsForget` */
export async function layerSecretsKeep(
  database: Database,
  blobId: number,
  secrets: readonly InventorySecret[],
): Promise<string[]> {
  const places: string[] = [];
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
      places.push(...rows.map(placeOf));
    });
  }
  return places;
}

interface SecretPlace {
  readonly path_id: number;
  readonly line: number;
  readonly kind: string;
  readonly fingerprint: Uint8Array;
}

function placeOf({ path_id: pathId, line, kind, fingerprint }: SecretPlace): string {
  return `${pathId} ${line} ${kind} ${Buffer.from(fingerprint).toString('hex')}`;
}

/** What a former read of the layer found and this one did not. @param there what it found, as `layerSecretsKeep` says it */
export async function formerSecretsForget(
  database: Database,
  blobId: number,
  there: ReadonlySet<string>,
): Promise<void> {
  const rows = await database.read
    .selectFrom('layer_secrets')
    .select(['id', 'path_id', 'line', 'kind', 'fingerprint'])
    .where('blob_id', '=', blobId)
    .execute();
  const former = rows.filter((row) => !there.has(placeOf(row))).map(({ id }) => id);
  for (let at = 0; at < former.length; at += secretsAtOnce) {
    const some = former.slice(at, at + secretsAtOnce);
    await database.transact((tx) => tx.db.deleteFrom('layer_secrets').where('id', 'in', some).execute());
  }
}
