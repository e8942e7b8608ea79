import type { Digest } from '../../oci/digest.ts';
import { isFilesystemLayer } from '../../oci/media-types.ts';
import type { Tx } from '../db/database.ts';
import type { Blob } from './blobs.ts';
import { inspectionsWant } from './wanted-inspections.ts';

/**
 * What was named before it was here: by a sparse image or index, or as a layer that need not be pushed.
 */

/** It is known now which content a sha512 names: whoever names it names its sha256 from now on, as all else does. */
export async function edgesRename(tx: Tx, name: { readonly sha512: Digest; readonly sha256: string }) {
  const { numUpdatedRows } = await tx.db
    .updateTable('edges')
    .set({ digest: name.sha256 })
    .where('digest', '=', name.sha512)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  // A mark on the sha256 reaches whoever named the sha512.
  const data = { ...name };
  tx.emit({ type: 'edges.renamed', lane: 'local', subject: name.sha256, actor: 'lazaret', data });
}

/** A layer that nobody could read when its image was pushed is read now. */
export async function layerArrived(tx: Tx, blob: Blob): Promise<void> {
  const naming = await tx.db
    .selectFrom('edges')
    .innerJoin('images', 'images.manifest_id', 'edges.manifest_id')
    .leftJoin('inspections', (join) => join.on('inspections.blob_id', '=', blob.id))
    .select(['edges.manifest_id', 'edges.media_type'])
    .where('edges.digest', '=', blob.digest)
    .where('edges.kind', '=', 'layer')
    .where('inspections.blob_id', 'is', null)
    .execute();
  const image = naming.find((each) => isFilesystemLayer(each.media_type));
  if (!image) return;
  const { id: blobId, digest } = blob;
  await inspectionsWant(tx, [{ blobId, digest, mediaType: image.media_type }]);
  await tx.db
    .updateTable('images')
    .set((e) => ({ state: 'pending' as const, wanted: e('wanted', '+', 1) }))
    .where(
      'manifest_id',
      'in',
      naming.map((each) => each.manifest_id),
    )
    .execute();
}
