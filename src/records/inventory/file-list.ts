import { sql } from 'kysely';
import type { ListKey } from '../../lib/cursor.ts';
import { globPrefix } from '../../lib/globs.ts';
import { foldersAbove, isShown, type StackedRecord } from '../../oci/layer-stack.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import type { LayerFileTable } from '../db/tables/inventory.ts';
import { filesAtPaths } from './image-layers.ts';
import {
  globFilter,
  type InventoryAsk,
  type InventoryPage,
  type ListedLayer,
  layersAsked,
  listedLayers,
  readPage,
} from './list.ts';

export interface ListedFile {
  readonly path: string;
  /** In an image an opaque folder is a folder, and whiteouts are not listed. */
  readonly kind: LayerFileTable['kind'];
  readonly sizeBytes: number;
  readonly mode: number;
  /** Hex. */
  readonly sha256: string | null;
  /** The digest of the layer that has it. */
  readonly layer: string;
  /** Whether the image shows it. */
  readonly shown: boolean;
}

interface FileRow extends Pick<ListedFile, 'path' | 'kind' | 'mode'> {
  readonly size_bytes: number;
  readonly sha256: Uint8Array | null;
  readonly blob_id: number;
}

/** In order of their paths. @throws invalid */
export async function fileList(database: Database, ask: InventoryAsk): Promise<InventoryPage<ListedFile>> {
  const layers = await listedLayers(database.read, ask.manifestId);
  const asked = layersAsked(layers, ask);
  return readPage<FileRow, ListedFile>({
    ask,
    keyIds: 1,
    rowsAfter: (after, limit) => fileRows(database, { layers: asked, path: ask.path, after, limit }),
    keyOf: ({ path, blob_id: blobId }) => ({ text: path, ids: [Number(blobId)] }),
    matches: globFilter<FileRow>({ glob: ask.path, of: ({ path }) => path }),
    itemsOf: async (rows) => {
      const files = await filesOf(database, rows, layers);
      return ask.place === 'layer' ? files : files.filter(({ shown }) => shown).map(asOfImage);
    },
  });
}

function asOfImage(file: ListedFile): ListedFile {
  return file.kind === 'opaque' ? { ...file, kind: 'directory' } : file;
}

function fileRows(
  database: Database,
  asked: {
    readonly layers: readonly ListedLayer[];
    readonly path: string | undefined;
    readonly after: ListKey | undefined;
    readonly limit: number;
  },
): Promise<FileRow[]> {
  const path = byCodeUnit(database.engine, 'paths.path');
  const { after, limit } = asked;
  const start = asked.path === undefined ? '' : globPrefix(asked.path);
  const blobIds = asked.layers.map(({ blobId }) => blobId);
  const conditions = [
    within(database, 'layer_files.blob_id', blobIds),
    ...(start === '' ? [] : [sql<boolean>`substr(paths.path, 1, ${[...start].length}) = ${start}`]),
    ...(after === undefined
      ? []
      : [
          // A cursor comes from outside: its number may be larger than the column's.
          sql<boolean>`(${path}, layer_files.blob_id) > (${after.text}, ${sql.join(after.ids.map((id) => sql`cast(${id} as bigint)`))})`,
        ]),
  ];
  return database.search(
    sql<FileRow>`select paths.path, layer_files.kind, layer_files.size_bytes, layer_files.mode, layer_files.sha256,
        layer_files.blob_id
      from layer_files join paths on paths.id = layer_files.path_id
      where ${sql.join(conditions, sql` and `)}
      order by ${path}, layer_files.blob_id limit ${limit}`.compile(database.read),
  );
}

async function filesOf(
  database: Database,
  rows: readonly FileRow[],
  layers: readonly ListedLayer[],
): Promise<ListedFile[]> {
  const layerOf = new Map(layers.map((layer) => [layer.blobId, layer]));
  const recordsAt = await stackAt(
    database,
    layers,
    rows.map(({ path }) => path),
  );
  return rows.map(({ path, kind, size_bytes: sizeBytes, mode, sha256, blob_id: blobId }) => {
    const layer = layerOf.get(Number(blobId));
    const position = layer?.position ?? 0;
    // A whiteout shows nothing, nor does the root, of which an opaque marker alone tells.
    const nothing = kind === 'whiteout' || path === '';
    return {
      path,
      kind,
      sizeBytes: Number(sizeBytes),
      mode: Number(mode),
      sha256: sha256 === null ? null : Buffer.from(sha256).toString('hex'),
      layer: layer?.digest ?? '',
      shown: !nothing && isShown({ path, kind, position }, recordsAt),
    };
  });
}

/** What the layers have at these paths and at the folders above them. */
export async function stackAt(database: Database, layers: readonly ListedLayer[], paths: readonly string[]) {
  const wanted = new Set(paths);
  for (const path of paths) for (const folder of foldersAbove(path)) wanted.add(folder);
  const blobIds = layers.map(({ blobId }) => blobId);
  const byBlob = layers.length < 2 ? new Map() : await filesAtPaths(database, blobIds, [...wanted]);
  const found = new Map<string, StackedRecord[]>();
  for (const { blobId, position } of layers)
    for (const { path, kind } of byBlob.get(blobId) ?? []) {
      const list = found.get(path);
      if (list) list.push({ path, kind, position });
      else found.set(path, [{ path, kind, position }]);
    }
  return (path: string): readonly StackedRecord[] => found.get(path) ?? [];
}
