/**
 * An image's view, once each of its layers was read: what it shows when all layers are applied, and what its config says.
 * Whatever could not be read, or contradicts itself, makes it *unknown* with the first reason; what was found is kept
 * all the same. A config that claims other layers than those that are there lies: its image is unknown.
 */
import type { BlobStore } from '../../blobs/blob-store.ts';
import { configView } from '../../layers/config-view.ts';
import { type FoundConfig, imageProblem, isFilesystem } from '../../layers/image-problem.ts';
import { imageView, pathsOfInterest } from '../../layers/image-view.ts';
import { causeChain, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { chainIds } from '../../oci/chain-id.ts';
import { type ImageConfig, parseImageConfig } from '../../oci/config.ts';
import type { Database } from '../../records/db/database.ts';
import { type ImageView, imageViewKeep, viewWanted } from '../../records/inventory/image-keep.ts';
import {
  configBlob,
  filesAtPaths,
  type LayerOfImage,
  layersOfImage,
  type PackageOfLayer,
  packagesOfLayers,
} from '../../records/inventory/image-layers.ts';
import { type InventoryOs, storable } from '../../records/inventory/rows.ts';
import { hasRelease, ofRelease } from '../../versions/distributions.ts';
import { currentFingerprintKey } from './fingerprint-key.ts';
import { inspectActor } from './inspect-actor.ts';

export interface CompleteImageDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
}

/** Writes the view and says so with `image.inspected`. @throws unavailable */
export async function completeImage(deps: CompleteImageDeps, manifestId: number): Promise<void> {
  const wanted = await viewWanted(deps.database.read, manifestId);
  if (!wanted) return; // another process has made it
  const layers = await layersOfImage(deps.database.read, manifestId);
  const config = await configOf(deps, manifestId);
  const view = { ...(await viewOf(deps.database, { manifestId, layers, config })), wanted };
  const { state, reason, shown } = view;
  await imageViewKeep(deps.database, view, (tx, digest) =>
    tx.emit({
      type: 'image.inspected',
      lane: 'local',
      subject: digest,
      actor: inspectActor,
      data: { digest, state, packages: shown.length, ...(reason === null ? {} : { reason }) },
    }),
  );
}

interface Looked {
  readonly manifestId: number;
  readonly layers: readonly LayerOfImage[];
  readonly config: FoundConfig;
}

async function viewOf(
  database: Database,
  { manifestId, layers, config }: Looked,
): Promise<Omit<ImageView, 'wanted'>> {
  const nothing = {
    manifestId,
    version: layers.length === 0 ? 0 : Math.min(...layers.map(({ version }) => version)),
    reason: null,
    os: null,
    config: null,
    chainId: null,
    secrets: [],
    createdAt: null,
    shown: [],
    learned: [],
    superseded: [],
  };
  if (!isFilesystem(layers, config)) return { ...nothing, state: 'notApplicable' };
  const os = layers.findLast((layer) => layer.os !== undefined)?.os;
  const { held, superseded } = newestOf(await packagesOfLayers(database, blobIds(layers)));
  const visible = await visiblePackages(database, layers, held);
  const shown = visible.map((found) => ({ ...found, facts: ofRelease(found.facts, os) }));
  const seen =
    config.kind === 'read' ? configView(config.config, await currentFingerprintKey(database)) : undefined;
  const judged = layers.map((layer) => ({ ...layer, isHere: layer.blobId !== null }));
  const problem = imageProblem({ layers: judged, config, shown: shown.map(({ facts }) => facts), os });
  return {
    ...nothing,
    state: problem === undefined ? 'done' : 'unknown',
    reason: problem === undefined ? null : storable(problem),
    os: os ? JSON.stringify(os) : null,
    config: seen ? JSON.stringify(seen.shown) : null,
    chainId: chainIdOf(layers),
    secrets: seen?.secrets ?? [],
    createdAt: config.kind === 'read' ? createdAt(config.config) : null,
    shown,
    learned: learnedFrom(held, os),
    superseded,
  };
}

/**
 * A layer that was read again has its distribution's packages without a release, beside those that had learned theirs
 * from a former view, which stand until this one has been kept.
 */
function newestOf(packages: readonly PackageOfLayer[]): {
  readonly held: readonly PackageOfLayer[];
  readonly superseded: readonly PackageOfLayer[];
} {
  const again = new Set(packages.filter(({ facts }) => !hasRelease(facts)).map(samePackage));
  const isFormer = (found: PackageOfLayer) => hasRelease(found.facts) && again.has(samePackage(found));
  return {
    held: packages.filter((found) => !isFormer(found)),
    superseded: packages.filter(isFormer),
  };
}

/** What a package is besides its release. */
function samePackage({ blobId, path, extractor, facts }: PackageOfLayer): string {
  return [blobId, path, extractor, facts.name, facts.version].join(' ');
}

function chainIdOf(layers: readonly LayerOfImage[]): string | null {
  const diffIds = layers.map(({ diffId }) => diffId).filter((diffId) => diffId !== null);
  return diffIds.length < layers.length ? null : (chainIds(diffIds).at(-1) ?? null);
}

function blobIds(layers: readonly LayerOfImage[]): number[] {
  return [...new Set(layers.map(({ blobId }) => blobId).filter((id) => id !== null))];
}

async function visiblePackages(
  database: Database,
  layers: readonly LayerOfImage[],
  held: readonly PackageOfLayer[],
): Promise<PackageOfLayer[]> {
  const files = await filesAtPaths(database, blobIds(layers), [...pathsOfInterest(held)]);
  const byLayer = Map.groupBy(held, ({ blobId }) => blobId);
  const stack = layers.flatMap(({ position, blobId }) =>
    blobId === null
      ? []
      : [{ position, blobId, packages: byLayer.get(blobId) ?? [], files: files.get(blobId) ?? [] }],
  );
  const blobAt = new Map(stack.map(({ position, blobId }) => [position, blobId]));
  const known = new Map(held.map((found) => [placeKey(found.blobId, found), found]));
  return imageView(stack).flatMap((seen) => known.get(placeKey(blobAt.get(seen.position), seen)) ?? []);
}

function placeKey(
  blobId: number | undefined,
  { packageId, path }: { readonly packageId: number; readonly path: string },
): string {
  return `${blobId} ${packageId} ${path}`;
}

/** Also those that the image does not show: `in: layer` asks for them too. */
function learnedFrom(held: readonly PackageOfLayer[], os: InventoryOs | undefined) {
  if (os === undefined) return [];
  return held
    .filter(({ facts }) => !hasRelease(facts))
    .map((found) => ({ ...found, facts: ofRelease(found.facts, os) }))
    .filter(({ facts }) => hasRelease(facts));
}

async function configOf({ database, blobs }: CompleteImageDeps, manifestId: number): Promise<FoundConfig> {
  const row = await configBlob(database.read, manifestId);
  if (!row?.storageKey)
    return { kind: 'unread', reason: row ? `${row.digest} is not here` : 'there is none' };
  try {
    const { stream } = await blobs.read(row.storageKey);
    return { kind: 'read', config: parseImageConfig(await collect(stream, limits.configBytesMax)) };
  } catch (error) {
    // A store that is away is worth another try; what is wrong with the config stays wrong.
    if (!(error instanceof LazaretError) || error.code === 'unavailable') throw error;
    return { kind: 'unread', reason: causeChain(error) };
  }
}

function createdAt({ created }: ImageConfig): number | null {
  const ms = created === undefined ? Number.NaN : Date.parse(created);
  return Number.isFinite(ms) ? ms : null;
}
