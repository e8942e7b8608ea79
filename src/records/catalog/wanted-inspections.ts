import type { Tx } from '../db/database.ts';
import type { ImageTable } from '../db/tables/inventory.ts';
import { jobEnqueue } from '../jobs/jobs.ts';

/** A layer that a manifest in service names. */
export interface WantedLayer {
  readonly blobId: number;
  readonly digest: string;
  readonly mediaType: string;
}

/**
 * Asks for each layer to be read once. A layer that ended `unknown` is asked for again only by a newer reader; one that
 * another manifest gave a type that can't be read (`notApplicable`) is asked for under this one.
 */
export async function inspectionsWant(tx: Tx, layers: readonly WantedLayer[]): Promise<void> {
  for (const layer of layers) {
    const before = await tx.db
      .selectFrom('inspections')
      .select('state')
      .where('blob_id', '=', layer.blobId)
      .executeTakeFirst();
    if (before?.state === 'done' || before?.state === 'unknown') continue;
    await tx.db
      .insertInto('inspections')
      .values({ blob_id: layer.blobId, ...unread })
      .onConflict((c) =>
        c.column('blob_id').doUpdateSet(unread).where('inspections.state', '=', 'notApplicable'),
      )
      .execute();
    const { digest, mediaType } = layer;
    await jobEnqueue(tx, { kind: 'inspect', key: digest, payload: { digest, mediaType } });
  }
}

const unread = {
  state: 'pending' as const,
  reason: null,
  diff_id: null,
  uncompressed_bytes: 0,
  entries: 0,
  duration_ms: 0,
  os: null,
  version: 0,
  inspected_at: null,
};

/** Begins the image's view of a manifest that has none yet. */
export async function imageWant(
  tx: Tx,
  manifestId: number,
  { state, reason = null }: { readonly state: ImageTable['state']; readonly reason?: string | null },
): Promise<void> {
  await tx.db
    .insertInto('images')
    .values({
      manifest_id: manifestId,
      state,
      wanted: state === 'pending' ? 1 : 0,
      reason,
      os: null,
      config: null,
      chain_id: null,
      created_at: null,
      inspected_at: null,
    })
    .onConflict((c) => c.column('manifest_id').doNothing())
    .execute();
}
