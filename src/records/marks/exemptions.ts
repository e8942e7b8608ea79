import { sql } from 'kysely';
import type { Tx } from '../db/database.ts';
import { chunked, type Reader } from '../db/engine.ts';

/**
 * What inspection decided of the images on a layer that is marked with reach `image`: an exempt one hides the match and is
 * available, one that is not shows it. It is decided where the image's repository has its home, and travels. A newer
 * decision of an image replaces the one before.
 */
export interface Exemption {
  readonly quarantineUid: string;
  /** Of the image. */
  readonly manifestDigest: string;
  readonly exempt: boolean;
}

/** @param version the log position at which it was decided */
export async function exemptionsKeep(
  tx: Tx,
  exemptions: readonly Exemption[],
  version: number,
): Promise<void> {
  const rows = exemptions.map((one) => ({
    quarantine_uid: one.quarantineUid,
    manifest_digest: one.manifestDigest,
    exempt: one.exempt ? 1 : 0,
    version,
  }));
  for (const part of chunked(rows))
    await tx.db
      .insertInto('mark_exemptions')
      .values([...part])
      .onConflict((c) =>
        c
          .columns(['quarantine_uid', 'manifest_digest'])
          .doUpdateSet((e) => ({ exempt: e.ref('excluded.exempt'), version: e.ref('excluded.version') }))
          .whereRef('mark_exemptions.version', '<', 'excluded.version'),
      )
      .execute();
}

/** What is decided so far: exempt or not, by the image's digest. */
export async function exemptionsOf(db: Reader, quarantineUid: string): Promise<ReadonlyMap<string, boolean>> {
  const rows = await db
    .selectFrom('mark_exemptions')
    .select(['manifest_digest', 'exempt'])
    .where('quarantine_uid', '=', quarantineUid)
    .execute();
  return new Map(rows.map((row) => [row.manifest_digest, Number(row.exempt) !== 0]));
}

/** The active quarantines of reach `image` that mark a layer of this image, whoever's repositories they bind. */
export async function quarantinesOver(db: Reader, manifestDigest: string): Promise<string[]> {
  const { rows } = await sql<{ uid: string }>`select distinct quarantines.uid
    from quarantines join marks on marks.quarantine_id = quarantines.id and marks.target = 'layer'
    where quarantines.reach = 'image' and quarantines.released_at is null and (
      marks.digest in (select edges.digest from edges join manifests on manifests.id = edges.manifest_id
        where manifests.digest = ${manifestDigest} and edges.kind = 'layer')
      or marks.diff_id in (select edges.diff_id from edges join manifests on manifests.id = edges.manifest_id
        where manifests.digest = ${manifestDigest} and edges.kind = 'layer' and edges.diff_id is not null)
      or marks.diff_id in (select inspections.diff_id from edges
        join manifests on manifests.id = edges.manifest_id join blobs on blobs.digest = edges.digest
        join inspections on inspections.blob_id = blobs.id
        where manifests.digest = ${manifestDigest} and edges.kind = 'layer'))`.execute(db);
  return rows.map((row) => row.uid);
}

/** Whether any quarantine of reach `image` is active. */
export async function imageReachInUse(db: Reader): Promise<boolean> {
  const row = await db
    .selectFrom('quarantines')
    .select('id')
    .where('reach', '=', 'image')
    .where('released_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
