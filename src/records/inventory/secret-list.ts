import { sql } from 'kysely';
import type { ListKey } from '../../lib/cursor.ts';
import { isShown } from '../../oci/layer-stack.ts';
import { formatFingerprint } from '../../secrets/fingerprint.ts';
import { within } from '../criteria/found-packages.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit } from '../db/engine.ts';
import { stackAt } from './file-list.ts';
import {
  globFilter,
  type InventoryAsk,
  type InventoryPage,
  layersAsked,
  listedLayers,
  readPage,
} from './list.ts';

/** Where an image has a secret; its value is nowhere. */
export interface ListedSecret {
  readonly kind: string;
  /** `config:Env/TOKEN` of the image's config. */
  readonly path: string;
  /** null: in the config. */
  readonly line: number | null;
  readonly fingerprint: string;
  /** The digest of the layer that has it; null: the config. */
  readonly layer: string | null;
  /** Whether the image shows it. */
  readonly shown: boolean;
}

export interface SecretAsk extends InventoryAsk {
  /** A glob over the names of kinds. */
  readonly kind?: string | undefined;
}

interface SecretRow {
  readonly kind: string;
  readonly path: string;
  readonly line: number;
  readonly fingerprint: Uint8Array;
  readonly key_version: number;
  /** 0: the config. */
  readonly blob_id: number;
  readonly id: number;
}

/** In order of their paths. @throws invalid */
export async function secretList(database: Database, ask: SecretAsk): Promise<InventoryPage<ListedSecret>> {
  const layers = await listedLayers(database.read, ask.manifestId);
  const layerOf = new Map(layers.map((layer) => [layer.blobId, layer]));
  const blobIds = layersAsked(layers, ask).map(({ blobId }) => blobId);
  return readPage<SecretRow, ListedSecret>({
    ask,
    keyIds: 2,
    rowsAfter: (after, limit) => secretRows(database, { ...ask, blobIds }, { after, limit }),
    keyOf: ({ path, blob_id: blobId, id }) => ({ text: path, ids: [blobId, id].map(Number) }),
    matches: globFilter<SecretRow>(
      { glob: ask.kind, of: ({ kind }) => kind },
      { glob: ask.path, of: ({ path }) => path },
    ),
    itemsOf: async (rows) => {
      const paths = rows.map(({ path }) => path);
      const recordsAt = await stackAt(database, layers, paths);
      const items = rows.map(({ kind, path, line, fingerprint, key_version, blob_id }) => {
        const layer = layerOf.get(Number(blob_id));
        return {
          kind,
          path,
          line: layer ? Number(line) : null,
          fingerprint: formatFingerprint(Number(key_version), fingerprint),
          layer: layer?.digest ?? null,
          shown: !layer || isShown({ path, kind: 'file', position: layer.position }, recordsAt),
        };
      });
      return ask.place === 'layer' ? items : items.filter(({ shown }) => shown);
    },
  });
}

function secretRows(
  database: Database,
  { manifestId, layer, blobIds }: SecretAsk & { readonly blobIds: readonly number[] },
  { after, limit }: { after: ListKey | undefined; limit: number },
): Promise<SecretRow[]> {
  const path = byCodeUnit(database.engine, 'found.path');
  const ofConfig = layer === undefined ? sql<boolean>`manifest_id = ${manifestId}` : sql<boolean>`1 = 0`;
  const beyond =
    after === undefined
      ? sql<boolean>`1 = 1`
      : sql<boolean>`(${path}, found.blob_id, found.id) > (${after.text}, ${sql.join([...after.ids])})`;
  return database.search(
    sql<SecretRow>`select found.* from (
        select layer_secrets.kind, paths.path, layer_secrets.line, layer_secrets.fingerprint,
          layer_secrets.key_version, layer_secrets.blob_id, layer_secrets.id
        from layer_secrets join paths on paths.id = layer_secrets.path_id
        where ${within('layer_secrets.blob_id', blobIds)}
        union all
        select kind, place, 0, fingerprint, key_version, 0, id from image_secrets where ${ofConfig}) as found
      where ${beyond} order by ${path}, found.blob_id, found.id limit ${limit}`.compile(database.read),
  );
}
