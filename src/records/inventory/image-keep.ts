/**
 * Keeps an image's view: the packages it shows, which of its layers' packages have learned their release from it, and its
 * row, which says that the view is complete. A former view stands until the new one has taken its place: what it lacks is
 * added first, and what it has too much goes last; where that is little, all of it is one transaction. Each of them looks
 * whether the view is still the one that is wanted: nothing that became known after it was made, no other process that
 * has ended it, and the image not gone.
 */
import type { Insertable } from 'kysely';
import type { Database, Tx } from '../db/database.ts';
import { chunked, locked, type Reader } from '../db/engine.ts';
import type { ImageTable } from '../db/tables/inventory.ts';
import { ecosystemsOf } from './image-ecosystems.ts';
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

/** A layer's package that learned its release from a former view, and whose layer was read again since. */
export interface SupersededPackage {
  readonly blobId: number;
  readonly packageId: number;
}

export interface ImageView {
  readonly manifestId: number;
  /** `viewWanted` before anything was read for it. */
  readonly wanted: number;
  /** The oldest inventory version among its layers. */
  readonly version: number;
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
  /** Packages of layers whose place one of `learned` takes. */
  readonly superseded: readonly SupersededPackage[];
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
const rowsAtOnce = 500;

/** How many views are wanted since the last was made; undefined: the image is gone. */
export async function viewWanted(db: Reader, manifestId: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('images')
    .select('wanted')
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst();
  return row?.wanted;
}

/** @returns false if it is not the view that is wanted any more */
export async function imageViewKeep(
  database: Database,
  view: ImageView,
  announce: (tx: Tx, digest: string) => void,
): Promise<boolean> {
  const ids = await ensureAll(database, [...view.shown, ...view.learned]);
  const idOf = (facts: PackageFacts) => ids.get(packageKey(facts));
  await layersLearn(database, view, idOf);
  const ecosystems = await ecosystemsOf(database, view.manifestId);
  const changes = await shownChanges(database, view, idOf);
  const few = changes.reduce((rows, change) => rows + change.rows, 0) <= rowsAtOnce;
  for (const change of few ? [] : changes)
    if (!(await database.transact((tx) => ifWanted(tx, view, () => change.make(tx))))) return false;
  return database.transact((tx) =>
    ifWanted(tx, view, async () => {
      for (const change of few ? changes : []) await change.make(tx);
      await configSecretsKeep(tx, view);
      await imageEnd(tx, { ...view, ecosystems }, announce);
    }),
  );
}

async function ifWanted(
  tx: Tx,
  { manifestId, wanted }: Pick<ImageView, 'manifestId' | 'wanted'>,
  keep: () => Promise<void>,
): Promise<boolean> {
  const image = tx.db
    .selectFrom('images')
    .select('manifest_id')
    .where('manifest_id', '=', manifestId)
    .where('wanted', '=', wanted);
  if (!(await locked(tx.engine, image).executeTakeFirst())) return false;
  await keep();
  return true;
}

/** They take the place of those that a former view had. */
async function configSecretsKeep(tx: Tx, { manifestId, secrets }: ImageView): Promise<void> {
  await tx.db.deleteFrom('image_secrets').where('manifest_id', '=', manifestId).execute();
  if (secrets.length === 0) return;
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

/** What a layer's packages have learned takes the place of what they were. */
async function layersLearn(
  database: Database,
  { learned, superseded }: Pick<ImageView, 'learned' | 'superseded'>,
  idOf: (facts: PackageFacts) => number | undefined,
): Promise<void> {
  const formers = Map.groupBy(superseded, ({ blobId }) => blobId);
  for (const [blobId, ofLayer] of Map.groupBy(learned, (one) => one.blobId)) {
    const kept = new Set<number>();
    for (const part of chunked(ofLayer)) {
      const rows = part.flatMap(({ facts, pathId, extractor }) => {
        const packageId = idOf(facts);
        return packageId === undefined
          ? []
          : [{ blob_id: blobId, package_id: packageId, path_id: pathId, extractor }];
      });
      if (rows.length === 0) continue;
      for (const row of rows) kept.add(row.package_id);
      await database.transact(async (tx) => {
        await tx.db
          .insertInto('layer_packages')
          .values(rows)
          .onConflict((c) => c.columns(['blob_id', 'package_id', 'path_id']).doNothing())
          .execute();
        await layerPackagesForget(tx, blobId, part);
      });
    }
    const gone = formers.get(blobId)?.filter(({ packageId }) => !kept.has(packageId)) ?? [];
    for (const part of chunked(gone)) await database.transact((tx) => layerPackagesForget(tx, blobId, part));
  }
}

async function layerPackagesForget(
  tx: Tx,
  blobId: number,
  packages: readonly SupersededPackage[],
): Promise<void> {
  await tx.db
    .deleteFrom('layer_packages')
    .where('blob_id', '=', blobId)
    .where(
      'package_id',
      'in',
      packages.map(({ packageId }) => packageId),
    )
    .execute();
}

/** A part of what makes the rows of a former view, if there is one, those of this one. */
interface ShownChange {
  readonly rows: number;
  make(tx: Tx): Promise<void>;
}

async function shownChanges(
  database: Database,
  { manifestId, shown }: Pick<ImageView, 'manifestId' | 'shown'>,
  idOf: (facts: PackageFacts) => number | undefined,
): Promise<readonly ShownChange[]> {
  const rows = new Map<string, ShownRow>();
  for (const { facts, blobId, pathId } of shown) {
    const packageId = idOf(facts);
    if (packageId === undefined) continue;
    const row = { manifest_id: manifestId, package_id: packageId, blob_id: blobId, path_id: pathId };
    rows.set(placeOf(row), row);
  }
  const former = await database.read
    .selectFrom('image_packages')
    .selectAll()
    .where('manifest_id', '=', manifestId)
    .execute();
  const known = new Map(former.map((row) => [placeOf(row), row.blob_id]));
  const added = [...rows].filter(([place, row]) => known.get(place) !== row.blob_id).map(([, row]) => row);
  const gone = former.filter((row) => !rows.has(placeOf(row)));
  return [
    ...[...chunked(added)].map((part) => ({
      rows: part.length,
      make: (tx: Tx) => shownInsert(tx, part),
    })),
    ...parts(gone, packagesAtOnce).map((part) => ({
      rows: part.length,
      make: (tx: Tx) => shownForget(tx, manifestId, part),
    })),
  ];
}

type ShownRow = { manifest_id: number; package_id: number; blob_id: number; path_id: number };

function placeOf({
  package_id: packageId,
  path_id: pathId,
}: Pick<ShownRow, 'package_id' | 'path_id'>): string {
  return `${packageId} ${pathId}`;
}

function parts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}

async function shownInsert(tx: Tx, rows: readonly ShownRow[]): Promise<void> {
  await tx.db
    .insertInto('image_packages')
    .values([...rows])
    .onConflict((c) =>
      c
        .columns(['manifest_id', 'package_id', 'path_id'])
        .doUpdateSet((e) => ({ blob_id: e.ref('excluded.blob_id') })),
    )
    .execute();
}

async function shownForget(tx: Tx, manifestId: number, rows: readonly ShownRow[]): Promise<void> {
  await tx.db
    .deleteFrom('image_packages')
    .where('manifest_id', '=', manifestId)
    .where((e) => e.or(rows.map((row) => e.and({ package_id: row.package_id, path_id: row.path_id }))))
    .execute();
}

async function imageEnd(
  tx: Tx,
  view: ImageView & { readonly ecosystems: string },
  announce: (tx: Tx, digest: string) => void,
): Promise<void> {
  const row: Omit<Insertable<ImageTable>, 'manifest_id'> = {
    state: view.state,
    wanted: 0,
    version: view.version,
    reason: view.reason,
    os: view.os,
    ecosystems: view.ecosystems,
    config: view.config,
    chain_id: view.chainId,
    created_at: view.createdAt,
    inspected_at: tx.nowMs,
  };
  await tx.db.updateTable('images').set(row).where('manifest_id', '=', view.manifestId).execute();
  const { digest } = await tx.db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', view.manifestId)
    .executeTakeFirstOrThrow();
  announce(tx, digest);
}
