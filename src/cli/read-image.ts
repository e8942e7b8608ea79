import { createHash } from 'node:crypto';
import { type ConfigSecret, configView, type ShownConfig } from '../layers/config-view.ts';
import { extractors } from '../layers/extractors/list.ts';
import { type ImageInventory, imageInventory, type ReadLayer } from '../layers/image-inventory.ts';
import type { FoundConfig } from '../layers/image-problem.ts';
import { collectInventory } from '../layers/inventory-collect.ts';
import { readLayerParts } from '../layers/read-layer.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { causeChain, LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { randomHmacKey } from '../lib/random.ts';
import { type ByteSource, collect } from '../lib/streams.ts';
import { parseImageConfig } from '../oci/config.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestEnd } from '../oci/digest.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import type { FingerprintKey } from '../secrets/fingerprint.ts';
import { releaseName } from '../versions/distributions.ts';
import { type ChosenImage, chooseImage } from './choose-image.ts';
import { HeldInventory } from './held-inventory.ts';
import { configLines, countsText } from './image-text.ts';
import type { SourceRepository } from './import/import-source.ts';
import { openSource } from './import/open-source.ts';
import { type InventoryLists, type InventoryOptions, inventoryListAsked } from './inventory-tables.ts';
import type { CliIo } from './io.ts';
import { print } from './output.ts';
import { readLists } from './read-lists.ts';
import { countText, digestText, sizeText } from './words.ts';

export interface InventoryCommandOptions extends InventoryOptions {
  readonly srcCreds?: string;
  readonly srcTlsCa?: string;
  readonly srcPlainHttp?: boolean;
}

/** Reads an image where it lies, as a push would have it read, and stores nothing. */
export async function showInventory(
  io: CliIo,
  text: string,
  options: InventoryCommandOptions,
): Promise<void> {
  const access = { creds: options.srcCreds, tlsCa: options.srcTlsCa, plainHttp: options.srcPlainHttp };
  const { source, chosen } = await openSource(text, { io, clock: systemClock, access });
  try {
    const image = await chooseImage(source, { ...chosen, platform: options.platform });
    const read = await readImage(image, { clock: systemClock, signal: io.signal });
    const list = inventoryListAsked(options);
    if (list) await list({ io, lists: read.lists, options });
    else {
      const whole = options.output === 'table' ? undefined : await everything(read);
      await print(io, options.output, whole, () => inventoryText(read));
    }
    if (read.inventory.state === 'unknown') io.exit(3);
  } finally {
    await source.close();
  }
}

interface ReadImage {
  readonly image: ChosenImage;
  readonly layers: readonly ReadLayer[];
  readonly inventory: ImageInventory;
  readonly config: ShownConfig | null;
  readonly lists: InventoryLists;
}

interface Reading {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function readImage(image: ChosenImage, reading: Reading): Promise<ReadImage> {
  // Its fingerprints are shown to nobody.
  const fingerprintKey = { version: 1, key: randomHmacKey() };
  const { manifest, repository } = image;
  const config = await configOf(repository, manifest);
  const held = new HeldInventory();
  const layers: ReadLayer[] = [];
  for (const layer of manifest.layers)
    layers.push(await layerOf(repository, layer, { ...reading, fingerprintKey, held }));
  const inventory = imageInventory(layers, config);
  const view = config.kind === 'read' ? configView(config.config, fingerprintKey) : undefined;
  const secrets: readonly ConfigSecret[] = view?.secrets ?? [];
  const digests = layers.map(({ digest }) => digest);
  return {
    image,
    layers,
    inventory,
    config: view?.shown ?? null,
    lists: readLists({ inventory, secrets, layers: digests }),
  };
}

/** What is wrong with the config makes the image unknown; a source that can't be read is an error. */
async function configOf(repository: SourceRepository, { config }: ImageManifest): Promise<FoundConfig> {
  try {
    const bytes = await collect(
      verified(await repository.blob(config.digest, 0), config.digest),
      limits.configBytesMax,
    );
    return { kind: 'read', config: parseImageConfig(bytes) };
  } catch (error) {
    if (!(error instanceof LazaretError) || error.code === 'unavailable') throw error;
    return { kind: 'unread', reason: causeChain(error) };
  }
}

/** @throws digestInvalid if the source gives other bytes than it names; tooLarge */
async function layerOf(
  repository: SourceRepository,
  { digest, mediaType, size }: Descriptor,
  { held, ...reading }: Reading & { readonly fingerprintKey: FingerprintKey; readonly held: HeldInventory },
): Promise<ReadLayer> {
  const layer = { digest, mediaType, sizeBytes: size };
  if ((await repository.blobSize(digest)) === undefined) return { ...layer, inventory: undefined };
  const source = verified(await repository.blob(digest, 0), digest);
  const parts = readLayerParts(source, { extractors, mediaType, ...reading });
  return { ...layer, inventory: await collectInventory(held.of(parts)) };
}

async function* verified(source: ByteSource, digest: Digest): AsyncGenerator<Uint8Array> {
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  const found = digestEnd(hash, algorithm);
  if (found !== digest)
    throw new LazaretError('digestInvalid', `the source names ${digest} and gives ${found}`, {
      detail: { digest, found },
    });
}

/** As `image show` says it, with all lists. */
async function everything(read: ReadImage) {
  const { image, inventory, config, layers, lists } = read;
  return {
    source: image.source,
    repository: image.repository.name ?? null,
    digest: image.digest,
    platform: image.platform,
    state: inventory.state,
    reason: inventory.reason,
    os: inventory.os === undefined ? null : releaseName(inventory.os),
    config,
    layers: layers.map(({ digest, mediaType, sizeBytes, inventory: found }) => ({
      digest,
      mediaType,
      sizeBytes,
      state: found?.state ?? 'unknown',
      reason: found?.reason ?? null,
      diffId: found?.diffId ?? null,
      entries: found?.entries ?? 0,
      packages: found?.packages.length ?? 0,
    })),
    packages: await lists.packages({ in: 'image' }),
    files: await lists.files({ in: 'image' }),
    secrets: await lists.secrets({ in: 'layer' }),
  };
}

function inventoryText({ image, inventory, config, layers }: ReadImage): string {
  const { state, reason, os } = inventory;
  const size = sizeText(layers.reduce((total, { sizeBytes }) => total + sizeBytes, 0));
  const counts: Record<string, number> = {};
  for (const { found, shown } of inventory.packages) {
    const type = found.purl.slice('pkg:'.length, found.purl.indexOf('/'));
    if (shown) counts[type] = (counts[type] ?? 0) + 1;
  }
  const facts = [
    `${countText(layers.length, 'layer')} · ${size}`,
    ...(os === undefined ? [] : [releaseName(os)]),
    countsText(counts),
    `${countText(inventory.files.filter(({ shown }) => shown).length, 'file')}`,
    `${countText(inventory.secrets.length, 'secret')} in its layers`,
  ];
  return [
    `${image.source}  ${image.platform ?? ''}  ${digestText(image.digest)}`.replace(/ {4}/, '  '),
    `  ${facts.join(' · ')}`,
    ...(config === null ? [] : configLines(config).map((line) => `  ${line}`)),
    ...(reason === null ? [] : [`  ${state}: ${reason}`]),
  ].join('\n');
}
