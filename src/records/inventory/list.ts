/**
 * What all lists of an image's contents have in common: pages in a stable order, each going on after the last row that
 * the one before it looked at. Filters that SQL can't say, and whether the image shows a row, are decided here, so one
 * page may look through several batches of rows; it looks through a bounded number of them, and may then be short.
 */
import { cursorText, type ListKey, parseCursor } from '../../lib/cursor.ts';
import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Reader } from '../db/engine.ts';

export interface InventoryAsk {
  readonly manifestId: number;
  /** `image`: what all layers together show; `layer`: what any of them has. */
  readonly place: 'image' | 'layer';
  /** Of this layer only: a digest of one of the image's. */
  readonly layer?: string | undefined;
  /** A glob. */
  readonly path?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface InventoryPage<T> {
  readonly items: readonly T[];
  /** null: the list ends here. */
  readonly next: string | null;
}

export interface Paging<R, T> {
  readonly ask: Pick<InventoryAsk, 'limit' | 'after'>;
  /** How many numbers its keys have. */
  readonly keyIds: number;
  /** In the list's order, after that key. */
  readonly rowsAfter: (after: ListKey | undefined, limit: number) => Promise<readonly R[]>;
  readonly keyOf: (row: R) => ListKey;
  /** Filters that the query could not say; undefined: there are none. */
  readonly matches: ((row: R) => boolean) | undefined;
  /** The items of these rows, and none for a row that does not belong into the list. */
  readonly itemsOf: (rows: readonly R[]) => Promise<readonly T[]>;
}

const rowsAtOnce = 20_000;

/** @throws invalid for a cursor that is none */
export async function readPage<R, T>(paging: Paging<R, T>): Promise<InventoryPage<T>> {
  const { ask, keyOf, matches } = paging;
  const items: T[] = [];
  let after = ask.after === undefined ? undefined : parseCursor(ask.after, paging.keyIds);
  for (let looked = 0; looked < limits.inventoryRowsLookedMax; ) {
    const missing = ask.limit - items.length;
    const batch = matches === undefined ? missing + 1 : rowsAtOnce;
    const rows = await paging.rowsAfter(after, batch);
    const wanted = matches === undefined ? rows : rows.filter(matches);
    const taken = wanted.slice(0, missing);
    items.push(...(await paging.itemsOf(taken)));
    const cut = taken.length < wanted.length;
    if (!cut && rows.length < batch) return { items, next: null };
    const last = cut ? taken.at(-1) : rows.at(-1);
    if (last) after = keyOf(last);
    if (items.length >= ask.limit) break;
    looked += rows.length;
  }
  return { items, next: after ? cursorText(after) : null };
}

/** A matcher for several optional globs over parts of a row; undefined if none is given. @throws invalid */
export function globFilter<R>(
  ...filters: readonly { readonly glob: string | undefined; readonly of: (row: R) => string }[]
): ((row: R) => boolean) | undefined {
  const given = filters.flatMap(({ glob, of }) =>
    glob === undefined ? [] : [{ fits: globMatcher(glob), of }],
  );
  return given.length === 0 ? undefined : (row) => given.every(({ fits, of }) => fits(of(row)));
}

/** A layer of an image whose bytes are known here. */
export interface ListedLayer {
  readonly blobId: number;
  readonly digest: string;
  /** Where it is topmost, if it is in the image twice. */
  readonly position: number;
}

/** From the base up. */
export async function listedLayers(db: Reader, manifestId: number): Promise<ListedLayer[]> {
  const rows = await db
    .selectFrom('edges')
    .innerJoin('blobs', 'blobs.digest', 'edges.digest')
    .select(['blobs.id as blobId', 'blobs.digest', 'edges.position'])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '=', 'layer')
    .orderBy('edges.position')
    .execute();
  return [...new Map(rows.map((row) => [row.blobId, row])).values()];
}

/** Those that are asked about. */
export function layersAsked(
  layers: readonly ListedLayer[],
  { layer }: Pick<InventoryAsk, 'layer'>,
): readonly ListedLayer[] {
  return layer === undefined ? layers : layers.filter(({ digest }) => digest === layer);
}
