import type { Tx } from '../db/database.ts';

/**
 * Keeps what another region's inspection found out about a layer and the doors here need: its diff id. The inventory
 * stays there, so here the layer counts as unknown, never as clean, until this region has inspected it itself; an
 * inspection of its own always stands.
 */
export async function inspectionFollow(
  tx: Tx,
  found: { readonly blobId: number; readonly origin: string; readonly diffId: string | null },
): Promise<void> {
  await tx.db
    .insertInto('inspections')
    .values({
      blob_id: found.blobId,
      state: 'unknown',
      reason: `its inventory is kept in region ${found.origin}`,
      diff_id: found.diffId,
      uncompressed_bytes: 0,
      entries: 0,
      duration_ms: 0,
      os: null,
      version: 0,
      inspected_at: null,
    })
    .onConflict((c) =>
      c.column('blob_id').doUpdateSet({ diff_id: found.diffId }).where('inspections.diff_id', 'is', null),
    )
    .execute();
}
