import type { ShownConfig } from '../../layers/config-view.ts';
import { releaseName } from '../../versions/distributions.ts';
import type { Reader } from '../db/engine.ts';
import type { ImageTable } from '../db/tables/inventory.ts';
import type { LayerOfImage } from './image-layers.ts';
import { layersOfImage } from './image-layers.ts';
import type { InventoryOs } from './rows.ts';

/** What inspection knows about an image, without the packages themselves. */
export interface ImageInventory {
  readonly state: ImageTable['state'];
  /** The oldest inventory version among its layers; 0: none was read in this region. */
  readonly inventoryVersion: number;
  /** Whether a layer was read again since: what is here is of before, until the view has been made anew. */
  readonly isRenewed: boolean;
  readonly reason: string | null;
  /** `Debian 12` */
  readonly os: string | null;
  readonly config: ShownConfig | null;
  readonly createdAt: number | null;
  readonly inspectedAt: number | null;
  readonly layers: readonly (LayerOfImage & { readonly packages: number })[];
  /** By purl type: `deb`, `npm`. */
  readonly packages: Readonly<Record<string, number>>;
}

/** undefined for what has no view: an index, or nothing. */
export async function imageInventory(db: Reader, manifestId: number): Promise<ImageInventory | undefined> {
  const image = await db
    .selectFrom('images')
    .selectAll()
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  if (!image) return undefined;
  const os: InventoryOs | null = image.os === null ? null : JSON.parse(image.os);
  return {
    state: image.state,
    inventoryVersion: image.version,
    isRenewed: image.state !== 'pending' && image.wanted > 0,
    reason: image.reason,
    os: os && releaseName(os),
    config: image.config === null ? null : JSON.parse(image.config),
    createdAt: image.created_at,
    inspectedAt: image.inspected_at,
    layers: await countedLayers(db, manifestId),
    packages: await packageCounts(db, manifestId),
  };
}

/** How far it was read, and with what; what has no view (an index, an artefact) is not applicable. */
export async function imageState(
  db: Reader,
  manifestId: number,
): Promise<Pick<ImageInventory, 'state' | 'reason' | 'inventoryVersion'>> {
  const row = await db
    .selectFrom('images')
    .select(['state', 'reason', 'version as inventoryVersion'])
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  return row ?? { state: 'notApplicable', reason: null, inventoryVersion: 0 };
}

async function countedLayers(db: Reader, manifestId: number) {
  const layers = await layersOfImage(db, manifestId);
  const ids = layers.map(({ blobId }) => blobId).filter((id) => id !== null);
  const rows =
    ids.length === 0
      ? []
      : await db
          .selectFrom('layer_packages')
          .select((e) => ['blob_id', e.fn.countAll<number>().as('count')])
          .where('blob_id', 'in', ids)
          .groupBy('blob_id')
          .execute();
  const counts = new Map(rows.map((row) => [row.blob_id, Number(row.count)]));
  return layers.map((layer) => ({
    ...layer,
    packages: layer.blobId === null ? 0 : (counts.get(layer.blobId) ?? 0),
  }));
}

async function packageCounts(db: Reader, manifestId: number): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('image_packages')
    .innerJoin('packages', 'packages.id', 'image_packages.package_id')
    .select((e) => ['packages.purl_type', e.fn.countAll<number>().as('count')])
    .where('image_packages.manifest_id', '=', manifestId)
    .groupBy('packages.purl_type')
    .orderBy('packages.purl_type')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.purl_type, Number(row.count)]));
}
