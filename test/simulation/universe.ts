/**
 * The few things that simulated clients push, so that they meet often: layers that images share, two compressions of one
 * layer, indexes over them, two accounts. Their bytes are no real tars: what is in a layer, `inspectImage` writes.
 */
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/oci/reference.ts';
import { type Content, descriptor, jsonContent, mediaTypes } from '../support/oci-layout.ts';
import type { SeededRandom } from './random.ts';

export interface SimulatedLayer extends Content {
  readonly name: string;
  readonly diffId: Digest;
  /** The one file in it, by which it is searched for. */
  readonly path: string;
}

export interface SimulatedImage {
  readonly kind: 'image';
  readonly name: string;
  readonly manifest: Content;
  readonly config: Content;
  readonly layers: readonly SimulatedLayer[];
}

export interface SimulatedIndex {
  readonly kind: 'index';
  readonly name: string;
  readonly manifest: Content;
  readonly children: readonly (SimulatedImage | SimulatedIndex)[];
}

export type Pushable = SimulatedImage | SimulatedIndex;

const layer = (name: string, diff: string): SimulatedLayer => {
  const bytes = Buffer.from(`layer ${name} `.repeat(4));
  const path = `app/${diff}`;
  const diffId = digestOf(`uncompressed ${diff}`);
  return {
    name,
    mediaType: mediaTypes.layer,
    digest: digestOf(bytes),
    size: bytes.length,
    bytes,
    diffId,
    path,
  };
};

const image = (name: string, ...layers: readonly SimulatedLayer[]): SimulatedImage => {
  const config = jsonContent(mediaTypes.config, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map((each) => each.diffId) },
    author: name,
  });
  const manifest = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { kind: 'image', name, manifest, config, layers };
};

const index = (name: string, ...children: readonly Pushable[]): SimulatedIndex => ({
  kind: 'index',
  name,
  children,
  manifest: jsonContent(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: children.map((child) => descriptor(child.manifest)),
  }),
});

const base = layer('base', 'base');
const baseAgain = layer('base-again', 'base');
const tools = layer('tools', 'tools');
const app = layer('app', 'app');
const data = layer('data', 'data');

export const layers: readonly SimulatedLayer[] = [base, baseAgain, tools, app, data];

const one = image('one', base, tools);
const two = image('two', baseAgain, app);
const three = image('three', tools);
const four = image('four', base, data);
const five = image('five', app);
const pair = index('pair', one, three);
const single = index('single', two);
const nested = index('nested', pair, five);

export const images: readonly SimulatedImage[] = [one, two, three, four, five];
export const pushables: readonly Pushable[] = [...images, pair, single, nested];

export const repositories: readonly RepositoryName[] = ['acme/shop', 'acme/api', 'globex/web'].map((name) =>
  parseRepositoryName(name),
);
export const tags = ['1', 'latest'] as const;

const named = new Map<string, string>([
  ...layers.map((each) => [each.digest, each.name] as const),
  ...images.map((each) => [each.config.digest, `config-of-${each.name}`] as const),
  ...pushables.map((each) => [each.manifest.digest, each.name] as const),
]);

/** What the trace calls it. */
export function nameOfDigest(digest: string): string {
  return named.get(digest) ?? digest.slice(0, 15);
}

export function layerOf(digest: string): SimulatedLayer | undefined {
  return layers.find((each) => each.digest === digest);
}

/** The images of an index at any depth, or the image itself. */
export function imagesBelow(pushable: Pushable): readonly SimulatedImage[] {
  return pushable.kind === 'image' ? [pushable] : pushable.children.flatMap(imagesBelow);
}

/** What one seed is about: the fewer things, the more often they meet. */
export interface Focus {
  readonly repositories: readonly RepositoryName[];
  readonly pushables: readonly Pushable[];
  readonly images: readonly SimulatedImage[];
  readonly blobs: readonly Content[];
  readonly layers: readonly SimulatedLayer[];
}

const focuses: Readonly<Record<string, readonly (readonly Pushable[])[]>> = {
  /** Two images that share a layer in two compressions. */
  twins: [
    [one, two],
    [two, four],
    [two, one],
  ],
  /** Indexes, and what is below them. */
  indexes: [[single], [pair], [single, pair]],
  /** One image. */
  again: [[one], [three], [five]],
};

/** @param theme of the seed: some are about certain things */
export function focusOn(random: SeededRandom, theme: string): Focus {
  const few = <T>(items: readonly T[], most: number) => {
    const count = 1 + random.below(Math.min(most, items.length));
    const from = random.below(items.length);
    return Array.from({ length: count }, (_, at) => items[(from + at) % items.length]).filter(
      (item) => item !== undefined,
    );
  };
  const special = focuses[theme];
  const chosen = special ? random.pick(special) : few(pushables, 4);
  const below = new Set(chosen.flatMap(imagesBelow));
  const theirLayers = new Set([...below].flatMap((each) => each.layers));
  const theirBlobs = new Set([...theirLayers, ...[...below].map((each) => each.config)]);
  return {
    repositories:
      theme === 'again' ? repositories.slice(random.below(2)) : few(repositories, special ? 2 : 3),
    pushables: [...new Set([...chosen, ...below])],
    images: [...below],
    blobs: [...theirBlobs],
    layers: [...theirLayers],
  };
}
