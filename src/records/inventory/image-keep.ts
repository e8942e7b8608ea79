/**
 * Keeps an image's view in short transactions: the packages it shows, which of its layers' packages have learned their
 * release from it, and last its row, which says that the view is complete. Until then the row is `pending`. Another
 * process may write the same view at the same time: the rows are the same, and one of the two ends it.
 */
import type { Database, Tx } from '../db/database.ts';
import { chunked } from '../db/engine.ts';
import type { ImageTable } from '../db/tables/inventory.ts';
import { packageKey, packagesEnsure } from './packages.ts';
import { type PackageFacts, storable } from './rows.ts';

/** A package that the image shows, as the image says it is. */
export interface ShownPackage {
  readonly facts: PackageFacts;
  readonly blobId: number;
  readonly pathId: number;
}

/** A layer's package whose release the layer alone does not say, and what it is in this image. */
export interface LearnedPackage extends ShownPackage {
  readonly packageId: number;
  readonly extractor: string;
}

export interface ImageView {
  readonly manifestId: number;
  readonly state: 'done' | 'unknown' | 'notApplicable';
  readonly reason: string | null;
  readonly os: string | null;
  /** JSON of what the config says, without values of the environment and without secrets. */
  readonly config: string | null;
  /** Of all its layers (src/oci/chain-id.ts); null: what one of them is could not be read. */
  readonly chainId: string | null;
  readonly createdAt: number | null;
  readonly shown: readonly ShownPackage[];
  readonly learned: readonly LearnedPackage[];
  readonly secrets: readonly SecretOfConfig[];
}

/** A secret of the image's config; its value is nowhere. */
export interface SecretOfConfig {
  readonly kind: string;
  /** `config:Env/TOKEN` */
  readonly place: string;
  readonly fingerprint: Uint8Array;
  readonly keyVersion: number;
}

const packagesAtOnce = 100;

/** @returns false if another process has ended the view, or the image is gone */
export async function imageViewKeep(
  database: Database,
  view: ImageView,
  announce: (tx: Tx, digest: string) => void,
): Promise<boolean> {
  const ids = await ensureAll(database, [...view.shown, ...view.learned]);
  const idOf = (facts: PackageFacts) => ids.get(packageKey(facts));
  await layersLearn(database, view.learned, idOf);
  const rows = view.shown.flatMap(({ facts, blobId, pathId }) => {
    const packageId = idOf(facts);
    return packageId === undefined
      ? []
      : [{ manifest_id: view.manifestId, package_id: packageId, blob_id: blobId, path_id: pathId }];
  });
  const parts = [...chunked(rows)];
  await database.transact(async (tx) => {
    await tx.db.deleteFrom('image_packages').where('manifest_id', '=', view.manifestId).execute();
    await shownInsert(tx, view.manifestId, parts[0] ?? []);
    await configSecretsKeep(tx, view);
  });
  for (const part of parts.slice(1)) await database.transact((tx) => shownInsert(tx, view.manifestId, part));
  return database.transact((tx) => imageEnd(tx, view, announce));
}

/** They take the place of those that a former view had; not if the image was taken out meanwhile. */
async function configSecretsKeep(tx: Tx, { manifestId, secrets }: ImageView): Promise<void> {
  await tx.db.deleteFrom('image_secrets').where('manifest_id', '=', manifestId).execute();
  const image = await tx.db
    .selectFrom('images')
    .select('manifest_id')
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  if (!image || secrets.length === 0) return;
  const rows = secrets.map(({ kind, place, fingerprint, keyVersion }) => ({
    manifest_id: manifestId,
    place: storable(place),
    kind,
    fingerprint: Buffer.from(fingerprint),
    key_version: keyVersion,
  }));
  for (const part of chunked(rows))
    await tx.db
      .insertInto('image_secrets')
      .values(part)
      .onConflict((c) => c.columns(['manifest_id', 'place', 'kind', 'fingerprint']).doNothing())
      .execute();
}

async function ensureAll(
  database: Database,
  packages: readonly ShownPackage[],
): Promise<Map<string, number>> {
  const distinct = [...new Map(packages.map(({ facts }) => [packageKey(facts), facts])).values()];
  const ids = new Map<string, number>();
  for (let at = 0; at < distinct.length; at += packagesAtOnce) {
    const some = distinct.slice(at, at + packagesAtOnce);
    for (const [key, id] of await database.transact((tx) => packagesEnsure(tx, some))) ids.set(key, id);
  }
  return ids;
}

async function layersLearn(
  database: Database,
  learned: readonly LearnedPackage[],
  idOf: (facts: PackageFacts) => number | undefined,
): Promise<void> {
  for (const [blobId, ofLayer] of Map.groupBy(learned, (one) => one.blobId))
    for (const part of chunked(ofLayer)) {
      const rows = part.flatMap(({ facts, pathId, extractor }) => {
        const packageId = idOf(facts);
        return packageId === undefined
          ? []
          : [{ blob_id: blobId, package_id: packageId, path_id: pathId, extractor }];
      });
      if (rows.length === 0) continue;
      await database.transact(async (tx) => {
        await tx.db
          .insertInto('layer_packages')
          .values(rows)
          .onConflict((c) => c.columns(['blob_id', 'package_id', 'path_id']).doNothing())
          .execute();
        await tx.db
          .deleteFrom('layer_packages')
          .where('blob_id', '=', blobId)
          .where(
            'package_id',
            'in',
            part.map(({ packageId }) => packageId),
          )
          .execute();
      });
    }
}

type ShownRow = { manifest_id: number; package_id: number; blob_id: number; path_id: number };

/** Not if the image was taken out meanwhile. */
async function shownInsert(tx: Tx, manifestId: number, rows: readonly ShownRow[]): Promise<void> {
  const image = await tx.db
    .selectFrom('images')
    .select('manifest_id')
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  if (!image || rows.length === 0) return;
  await tx.db
    .insertInto('image_packages')
    .values([...rows])
    .onConflict((c) => c.columns(['manifest_id', 'package_id', 'path_id']).doNothing())
    .execute();
}

async function imageEnd(
  tx: Tx,
  view: ImageView,
  announce: (tx: Tx, digest: string) => void,
): Promise<boolean> {
  const row: Omit<ImageTable, 'manifest_id'> = {
    state: view.state,
    reason: view.reason,
    os: view.os,
    config: view.config,
    chain_id: view.chainId,
    created_at: view.createdAt,
    inspected_at: tx.nowMs,
  };
  const ended = await tx.db
    .updateTable('images')
    .set(row)
    .where('manifest_id', '=', view.manifestId)
    .where('state', '=', 'pending')
    .executeTakeFirst();
  if (Number(ended.numUpdatedRows) === 0) return false;
  const { digest } = await tx.db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', view.manifestId)
    .executeTakeFirstOrThrow();
  announce(tx, digest);
  return true;
}
