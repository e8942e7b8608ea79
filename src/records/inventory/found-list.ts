import { type RawBuilder, sql } from 'kysely';
import { isShown } from '../../oci/layer-stack.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit } from '../db/engine.ts';
import { stackAt } from './file-list.ts';
import { type InventoryAsk, type InventoryPage, layersAsked, listedLayers, readPage } from './list.ts';

/** Something that was found in a file, or in the config of an image: then `blob_id` is 0. */
export interface FoundRow {
  readonly path: string;
  readonly blob_id: number;
  readonly id: number;
}

export interface FoundList<R extends FoundRow, T> {
  /** A sub-query with the columns of R: all that was found in these layers. */
  readonly rowsIn: (blobIds: readonly number[]) => RawBuilder<unknown>;
  /** Filters that it does not say; undefined: there are none. */
  readonly matches: ((row: R) => boolean) | undefined;
  readonly itemOf: (row: R, place: FoundPlace) => T;
}

export interface FoundPlace {
  /** The digest of the layer that has it; null: the config. */
  readonly layer: string | null;
  /** Whether the image shows it. */
  readonly shown: boolean;
}

/** In order of path, layer and number. @throws invalid */
export async function foundList<R extends FoundRow, T extends Pick<FoundPlace, 'shown'>>(
  database: Database,
  ask: InventoryAsk,
  { rowsIn, matches, itemOf }: FoundList<R, T>,
): Promise<InventoryPage<T>> {
  const layers = await listedLayers(database.read, ask.manifestId);
  const layerOf = new Map(layers.map((layer) => [layer.blobId, layer]));
  const found = rowsIn(layersAsked(layers, ask).map(({ blobId }) => blobId));
  const path = byCodeUnit(database.engine, 'found.path');
  return readPage<R, T>({
    ask,
    keyIds: 2,
    rowsAfter: (after, limit) => {
      const beyond =
        after === undefined
          ? sql<boolean>`1 = 1`
          : sql<boolean>`(${path}, found.blob_id, found.id) > (${after.text}, ${sql.join([...after.ids])})`;
      return database.search(
        sql<R>`select found.* from (${found}) as found
          where ${beyond} order by ${path}, found.blob_id, found.id limit ${limit}`.compile(database.read),
      );
    },
    keyOf: ({ path: text, blob_id: blobId, id }) => ({ text, ids: [blobId, id].map(Number) }),
    matches,
    itemsOf: async (rows) => {
      const recordsAt = await stackAt(
        database,
        layers,
        rows.map((row) => row.path),
      );
      const items = rows.map((row) => {
        const layer = layerOf.get(Number(row.blob_id));
        const isThere = !layer || isShown({ ...row, kind: 'file', position: layer.position }, recordsAt);
        return itemOf(row, { layer: layer?.digest ?? null, shown: isThere });
      });
      return ask.place === 'layer' ? items : items.filter(({ shown }) => shown);
    },
  });
}
