/**
 * What is in an image of which each layer was read in one piece, as the registry's own view says it (image-view.ts,
 * image-problem.ts): for whoever has the layers and no database.
 */
import { isShown, type StackedRecord } from '../oci/layer-stack.ts';
import { ofRelease } from '../versions/distributions.ts';
import { archiveOf } from './entry-path.ts';
import { type FoundConfig, imageProblem, isFilesystem } from './image-problem.ts';
import { imageView } from './image-view.ts';
import type { FoundPackage, LayerFile, LayerInventory, LayerSecret, OsRelease } from './inventory.ts';

export interface ReadLayer {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** undefined: there are no bytes to be read. */
  readonly inventory: LayerInventory | undefined;
}

/** Something of a layer, and whether the image shows it. */
export interface InImage<T> {
  readonly found: T;
  /** The digest of the layer that has it. */
  readonly layer: string;
  readonly shown: boolean;
}

export interface ImageInventory {
  readonly state: 'done' | 'unknown' | 'notApplicable';
  readonly reason: string | null;
  readonly os: OsRelease | undefined;
  /** Each with its release, as far as the image says it. */
  readonly packages: readonly InImage<FoundPackage>[];
  readonly files: readonly InImage<LayerFile>[];
  readonly secrets: readonly InImage<LayerSecret>[];
}

/** @param layers from the base up */
export function imageInventory(layers: readonly ReadLayer[], config: FoundConfig): ImageInventory {
  const os = layers.findLast(({ inventory }) => inventory?.os !== undefined)?.inventory?.os;
  const packages = packagesIn(layers, os);
  const judged = layers.map((layer, position) => judgedLayer(layer, position, config));
  const isRunnable = isFilesystem(judged, config);
  const shown = packages.filter((one) => one.shown).map(({ found }) => found);
  const problem = isRunnable ? imageProblem({ layers: judged, config, shown, os }) : undefined;
  return {
    state: isRunnable ? (problem === undefined ? 'done' : 'unknown') : 'notApplicable',
    reason: problem ?? null,
    os,
    packages,
    ...filesAndSecrets(layers),
  };
}

function judgedLayer({ digest, mediaType, inventory }: ReadLayer, position: number, config: FoundConfig) {
  const { diffId = null, state = 'pending', reason = null, extractions = [] } = inventory ?? {};
  return {
    position,
    digest,
    mediaType,
    isHere: inventory !== undefined,
    state,
    reason,
    claimedDiffId: config.kind === 'read' ? (config.config.diffIds[position] ?? null) : null,
    diffId,
    problems: extractions
      .filter((one) => one.state === 'unknown')
      .map((one) => ({ extractor: one.extractor, reason: one.reason ?? 'unknown' })),
  };
}

function packagesIn(layers: readonly ReadLayer[], os: OsRelease | undefined): InImage<FoundPackage>[] {
  const stack = layers.map(({ inventory }, position) => ({
    position,
    files: inventory?.files ?? [],
    packages: (inventory?.packages ?? []).map(({ path }, packageId) => ({ packageId, path })),
  }));
  const visible = new Set(imageView(stack).map(({ position, packageId }) => `${position} ${packageId}`));
  return layers.flatMap(({ digest, inventory }, position) =>
    (inventory?.packages ?? []).map((found, packageId) => ({
      found: ofRelease(found, os),
      layer: digest,
      shown: visible.has(`${position} ${packageId}`),
    })),
  );
}

function filesAndSecrets(layers: readonly ReadLayer[]): Pick<ImageInventory, 'files' | 'secrets'> {
  const records = new Map<string, StackedRecord[]>();
  for (const [position, { inventory }] of layers.entries())
    for (const { path, kind } of inventory?.files ?? []) {
      const known = records.get(path);
      if (known) known.push({ path, kind, position });
      else records.set(path, [{ path, kind, position }]);
    }
  const at = (path: string) => records.get(path) ?? [];
  const files: InImage<LayerFile>[] = [];
  const secrets: InImage<LayerSecret>[] = [];
  for (const [position, { digest: layer, inventory }] of layers.entries()) {
    for (const found of inventory?.files ?? []) {
      // A whiteout shows nothing, nor does the root, of which an opaque marker alone tells.
      const nothing = found.kind === 'whiteout' || found.path === '';
      files.push({ found, layer, shown: !nothing && isShown({ ...found, position }, at) });
    }
    for (const found of inventory?.secrets ?? []) {
      const path = archiveOf(found.path) ?? found.path;
      secrets.push({ found, layer, shown: isShown({ path, kind: 'file', position }, at) });
    }
  }
  return { files, secrets };
}
