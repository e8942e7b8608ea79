/**
 * Keeps what one read of a layer found, in short transactions: files, hiders and packages come in batches; then the
 * packages and secrets of an earlier, interrupted or older read go that this one has not found again, so that none is
 * missing while a layer is read once more; the caller's last transaction sets the inspection's state with
 * `inspectionFinish`. Until then a first inspection is `pending`, and no reader takes the rows for complete; a later one
 * has the state of the former. Every step can be repeated: a second read ends in the same rows.
 */
import type { Insertable } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { hasRelease } from '../../versions/distributions.ts';
import { bulkInsert } from '../db/bulk-insert.ts';
import type { Database, Tx } from '../db/database.ts';
import { chunked } from '../db/engine.ts';
import type { InspectionTable } from '../db/tables/inventory.ts';
import { archiveKeep } from './archive-keep.ts';
import type { KnownIds } from './known-ids.ts';
import { layerHardLinksKeep } from './layer-hard-links.ts';
import { formerMalwareForget, layerMalwareKeep } from './layer-malware.ts';
import { formerSecretsForget, layerSecretsKeep } from './layer-secrets.ts';
import { packageKey, packagesEnsure } from './packages.ts';
import { keptPath, pathsEnsure } from './paths.ts';
import {
  type InventoryExtraction,
  type InventoryFile,
  type InventoryPackage,
  type InventorySummary,
  type KeptPart,
  storable,
} from './rows.ts';

export interface KeepDeps {
  readonly database: Database;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Of paths, shared by all layers. */
  readonly pathIds: KnownIds;
}

export interface KeptLayer {
  readonly summary: InventorySummary;
  readonly files: number;
  readonly packages: number;
}

/** What one transaction writes: so many take less than `limits.transactionMs`, and are worth being made durable. */
const filesAtOnce = 500;
const packagesAtOnce = 100;

/** All but the inspection's state. @throws what `parts` throws; an error of the database if the blob is gone */
export async function layerInventoryKeep(
  deps: KeepDeps,
  blobId: number,
  parts: AsyncIterable<KeptPart>,
): Promise<KeptLayer> {
  let files = 0;
  const packages: InventoryPackage[] = [];
  const secrets = new Set<string>();
  const malware = new Set<string>();
  let summary: InventorySummary | undefined;
  for await (const part of parts) {
    if (part.kind === 'summary') summary = part.summary;
    else if (part.kind === 'packages') packages.push(...part.packages);
    else if (part.kind === 'secrets')
      for (const place of await layerSecretsKeep(deps.database, blobId, part.secrets)) secrets.add(place);
    else if (part.kind === 'malware')
      for (const place of await layerMalwareKeep(deps.database, blobId, part.malware)) malware.add(place);
    else if (part.kind === 'hardLinks') await layerHardLinksKeep(deps.database, blobId, part.links);
    else if (part.kind === 'archive') await archiveKeep(deps, part.archive);
    else {
      for (let at = 0; at < part.files.length; at += filesAtOnce)
        await filesKeep(deps, blobId, part.kind, part.files.slice(at, at + filesAtOnce));
      files += part.files.length;
    }
  }
  if (summary === undefined) throw new TypeError('an inventory ends with its summary');
  const { kept, extractions } = nameable(packages, summary);
  const there = await layerPackagesKeep(deps, blobId, kept);
  await formerPackagesForget(deps.database, blobId, there);
  await formerSecretsForget(deps.database, blobId, secrets);
  if (malwareRead(summary) !== undefined) await formerMalwareForget(deps.database, blobId, malware);
  return { summary: { ...summary, extractions }, files, packages: kept.length };
}

/** The last step, in the transaction that says so to the world. @returns false if the blob is gone */
export async function inspectionFinish(
  tx: Tx,
  blobId: number,
  found: { readonly summary: InventorySummary; readonly durationMs: number; readonly version: number },
): Promise<boolean> {
  const blob = await tx.db.selectFrom('blobs').select('id').where('id', '=', blobId).executeTakeFirst();
  if (!blob) return false;
  const { summary } = found;
  const looked = malwareRead(summary);
  const row: Omit<Insertable<InspectionTable>, 'blob_id'> = {
    state: summary.state,
    reason: summary.reason === undefined ? null : storable(summary.reason),
    diff_id: summary.diffId ?? null,
    uncompressed_bytes: summary.uncompressedBytes,
    entries: summary.entries,
    duration_ms: Math.round(found.durationMs),
    os: summary.os ? JSON.stringify(summary.os) : null,
    version: found.version,
    secrets_read: secretsRead(summary) ? 1 : 0,
    // Where no engine looked this time, what one said before stands.
    ...(looked === undefined ? {} : { malware_read: looked }),
    inspected_at: tx.nowMs,
  };
  await tx.db
    .insertInto('inspections')
    .values({ blob_id: blobId, ...row })
    .onConflict((c) => c.column('blob_id').doUpdateSet(row))
    .execute();
  await extractionsKeep(tx, blobId, summary.extractions);
  return true;
}

/** To the end of all its text; what is no file system has none. */
function secretsRead({ state, extractions }: InventorySummary): boolean {
  if (state === 'notApplicable') return true;
  return extractions.some((one) => one.extractor === 'secrets' && one.state === 'done');
}

/** 1: an engine looked through all of it; undefined: none was asked. */
function malwareRead({ extractions }: InventorySummary): 0 | 1 | undefined {
  const malware = extractions.find(({ extractor }) => extractor === 'malware');
  return malware && (malware.state === 'done' ? 1 : 0);
}

/** Of files the last record of a path counts; a hider leaves a record that is there, but makes a folder opaque. */
const fileColumns = ['blob_id', 'path_id', 'size_bytes', 'mode', 'kind', 'sha256'] as const;
const stillLinked = `excluded.kind = 'hardlink' and layer_files.kind = 'hardlink'`;
const fileInserts = {
  files: {
    table: 'layer_files',
    columns: fileColumns,
    // A hard link keeps what an earlier reading of the same bytes has found out at their end.
    ending: `on conflict (blob_id, path_id) do update set mode = excluded.mode, kind = excluded.kind,
      size_bytes = case when ${stillLinked} then layer_files.size_bytes else excluded.size_bytes end,
      sha256 = case when ${stillLinked} then layer_files.sha256 else excluded.sha256 end`,
  },
  hiders: {
    table: 'layer_files',
    columns: fileColumns,
    ending: `on conflict (blob_id, path_id) do update set kind = 'opaque' where layer_files.kind = 'directory'`,
  },
} as const;

async function filesKeep(
  { database, pathIds }: KeepDeps,
  blobId: number,
  kind: 'files' | 'hiders',
  files: readonly InventoryFile[],
): Promise<void> {
  const byPath = new Map(files.map((file) => [keptPath(file.path), file]));
  const made = await database.transact(async (tx) => {
    const { ids, unseen } = await idsOfPaths(tx, pathIds, [...byPath.keys()]);
    const rows = [...byPath].map(([path, { sizeBytes, mode, kind: type, sha256 }]) => {
      return [blobId, idAt(ids, path), sizeBytes, mode, type, sha256 === undefined ? null : bytesOf(sha256)];
    });
    // In the order of the key: so rows that belong together come to lie together.
    rows.sort(([, a], [, b]) => Number(a) - Number(b));
    await bulkInsert(tx, fileInserts[kind], rows);
    return unseen;
  });
  for (const [path, id] of made) pathIds.set(path, id);
}

/** Without asking for those that were seen before. What was not is to be remembered once the transaction has committed. */
async function idsOfPaths(tx: Tx, known: KnownIds, paths: readonly string[]) {
  const ids = new Map<string, number>();
  for (const path of paths) {
    const id = known.get(path);
    if (id !== undefined) ids.set(path, id);
  }
  const unseen = await pathsEnsure(
    tx,
    paths.filter((path) => !ids.has(path)),
  );
  for (const [path, id] of unseen) ids.set(path, id);
  return { ids, unseen };
}

function idAt(ids: ReadonlyMap<string, number>, path: string): number {
  const id = ids.get(path);
  if (id === undefined) throw new TypeError(`the path '${path}' got no id`);
  return id;
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Packages whose names no index takes are left out, and their extractor's result is then unknown. */
function nameable(packages: readonly InventoryPackage[], summary: InventorySummary) {
  const kept: InventoryPackage[] = [];
  const problems = new Map<string, string>();
  for (const found of packages) {
    const texts = [found.purl, found.name, found.version, found.sourceName ?? '', found.sourceVersion ?? ''];
    const fits = texts.every((text) => text.length <= limits.packageNameLengthMax && !text.includes('\0'));
    if (fits) kept.push(found);
    else
      problems.set(found.extractor, `${storable(found.path)}: a package whose name is too long or malformed`);
  }
  const extractions = summary.extractions.map((extraction): InventoryExtraction => {
    const problem = problems.get(extraction.extractor);
    if (problem === undefined || extraction.state === 'unknown') return extraction;
    return { ...extraction, state: 'unknown', reason: problem };
  });
  return { kept, extractions };
}

/** What a reading found, by place. */
interface FoundPlaces {
  readonly packages: Set<string>;
  /** Packages that wait to learn their release from an image, by what else they are. */
  readonly unreleased: Set<string>;
}

async function layerPackagesKeep(
  { database }: KeepDeps,
  blobId: number,
  found: readonly InventoryPackage[],
): Promise<FoundPlaces> {
  const there: FoundPlaces = { packages: new Set(), unreleased: new Set() };
  const packages = found.map((one) => ({ ...one, path: keptPath(one.path) }));
  for (let at = 0; at < packages.length; at += packagesAtOnce) {
    const batch = packages.slice(at, at + packagesAtOnce);
    await database.transact(async (tx) => {
      const ids = await packagesEnsure(tx, batch);
      const paths = await pathsEnsure(tx, [...new Set(batch.map(({ path }) => path))]);
      const rows = batch.flatMap((one) => {
        const packageId = ids.get(packageKey(one));
        const pathId = paths.get(one.path);
        if (packageId === undefined || pathId === undefined) return [];
        if (!hasRelease(one)) there.unreleased.add(identity({ ...one, pathId }));
        return [{ blob_id: blobId, package_id: packageId, path_id: pathId, extractor: one.extractor }];
      });
      for (const part of chunked(rows))
        await tx.db
          .insertInto('layer_packages')
          .values([...part])
          .onConflict((c) => c.columns(['blob_id', 'package_id', 'path_id']).doNothing())
          .execute();
      for (const row of rows) there.packages.add(placeOf(row));
    });
  }
  return there;
}

interface PackagePlace {
  readonly package_id: number;
  readonly path_id: number;
}

function placeOf({ package_id: packageId, path_id: pathId }: PackagePlace): string {
  return `${packageId} ${pathId}`;
}

function identity(one: {
  readonly extractor: string;
  readonly name: string;
  readonly version: string;
  readonly pathId: number;
}): string {
  return [one.extractor, one.name, one.version, one.pathId].join(' ');
}

/**
 * Those that had learned their release stand until the image's view is made anew, which teaches it to those found now
 * (`layersLearn`): else advisories would not find the layer between the two.
 */
async function formerPackagesForget(database: Database, blobId: number, there: FoundPlaces): Promise<void> {
  const rows = await database.read
    .selectFrom('layer_packages')
    .innerJoin('packages', 'packages.id', 'layer_packages.package_id')
    .select(['layer_packages.package_id', 'layer_packages.path_id', 'layer_packages.extractor'])
    .select(['packages.name', 'packages.version', 'packages.purl', 'packages.ecosystem'])
    .where('layer_packages.blob_id', '=', blobId)
    .execute();
  const isLearned = (row: (typeof rows)[number]) =>
    hasRelease(row) && there.unreleased.has(identity({ ...row, pathId: row.path_id }));
  const former = rows.filter((row) => !there.packages.has(placeOf(row)) && !isLearned(row));
  for (let at = 0; at < former.length; at += packagesAtOnce) {
    const some = former.slice(at, at + packagesAtOnce);
    await database.transact((tx) =>
      tx.db
        .deleteFrom('layer_packages')
        .where('blob_id', '=', blobId)
        .where((e) => e.or(some.map((row) => e.and({ package_id: row.package_id, path_id: row.path_id }))))
        .execute(),
    );
  }
}

async function extractionsKeep(
  tx: Tx,
  blobId: number,
  extractions: readonly InventoryExtraction[],
): Promise<void> {
  const former = tx.db.deleteFrom('extractions').where('blob_id', '=', blobId);
  const looked = extractions.some(({ extractor }) => extractor === 'malware');
  await (looked ? former : former.where('extractor', '!=', 'malware')).execute();
  if (extractions.length === 0) return;
  const rows = extractions.map(({ extractor, version, state, reason }) => ({
    blob_id: blobId,
    extractor,
    version,
    state,
    reason: reason === undefined ? null : storable(reason),
  }));
  await tx.db.insertInto('extractions').values(rows).execute();
}
