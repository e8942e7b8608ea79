/**
 * What the storm pushes: few layers that many images share, two compressions of some, indexes over images; and images
 * with a layer of their own, which come and go. All bytes follow from the seed.
 */
import type { SeededRandom } from '../simulation/random.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  compressLayer,
  descriptor,
  type Image,
  jsonContent,
  type Layer,
  mediaTypes,
} from '../support/oci-layout.ts';

export interface SoakImage extends Image {
  readonly kind: 'image';
}

export interface SoakIndex {
  readonly kind: 'index';
  readonly manifest: Content;
  readonly children: readonly SoakImage[];
}

export type Pushable = SoakImage | SoakIndex;

export const accounts = ['acme', 'globex'] as const;
export const repositories = ['acme/shop', 'acme/api', 'globex/web', 'globex/data'] as const;
export const tags = ['1', '2', '3', 'next', 'latest'] as const;

const sharedLayers = 14;
const imageCount = 26;
const indexCount = 6;
const ownImagesMax = 300;
const layerBytesMax = 40 * 1024;

export class Universe {
  readonly layers: readonly Layer[];
  readonly images: readonly SoakImage[];
  readonly indexes: readonly SoakIndex[];
  readonly #random: SeededRandom;
  readonly #own: SoakImage[] = [];
  readonly #byDigest = new Map<string, Pushable>();
  readonly #layerByDigest: ReadonlyMap<string, Layer>;

  private constructor(random: SeededRandom, layers: readonly Layer[]) {
    this.#random = random;
    this.layers = layers;
    this.#layerByDigest = new Map(layers.map((layer) => [layer.digest, layer]));
    this.images = Array.from({ length: imageCount }, (_, at) => this.#image(`image ${at}`, layers));
    this.indexes = Array.from({ length: indexCount }, (_, at) => this.#index(at));
  }

  static async of(random: SeededRandom): Promise<Universe> {
    const layers: Layer[] = [];
    for (let at = 0; at < sharedLayers; at++) layers.push(await randomLayer(random, `shared-${at}`));
    // The same contents, compressed anew: another digest of the same diff id.
    for (const at of [0, 1]) {
      const content = `twice compressed ${at} `.repeat(200);
      const gzipped = await buildLayer([{ path: `app/twice-${at}`, content }]);
      const plain = await buildLayer([{ path: `app/twice-${at}`, content }], { compression: 'none' });
      layers.push(gzipped, await compressLayer(Buffer.from(plain.bytes), { compression: 'zstd' }));
    }
    return new Universe(random, layers);
  }

  pick(): Pushable {
    if (this.#random.chance(0.12)) return this.#random.pick(this.indexes);
    return this.#random.pick(this.images);
  }

  /** One that has a layer which no other image has. */
  async own(): Promise<SoakImage> {
    const at = this.#random.below(ownImagesMax);
    const known = this.#own[at];
    if (known) return known;
    const layer = await randomLayer(this.#random, `own-${this.#own.length}`);
    const image = this.#image(`own ${this.#own.length}`, [
      layer,
      this.#random.pick(this.layers),
      this.#random.pick(this.layers),
    ]);
    this.#own.push(image);
    return image;
  }

  ownImages(): readonly SoakImage[] {
    return this.#own;
  }

  manifest(digest: string): Pushable | undefined {
    return this.#byDigest.get(digest);
  }

  layer(digest: string): Layer | undefined {
    return this.#layerByDigest.get(digest);
  }

  #image(name: string, from: readonly Layer[]): SoakImage {
    const shuffled = [...from].sort(() => this.#random.next() - 0.5);
    const layers = shuffled.slice(0, 1 + this.#random.below(4));
    const own = from[0];
    const chosen = from.length === 3 && own && !layers.includes(own) ? [own, ...layers] : layers;
    const image = {
      kind: 'image' as const,
      ...buildImage({ layers: chosen, config: { Labels: { name } } }),
    };
    this.#byDigest.set(image.manifest.digest, image);
    return image;
  }

  #index(at: number): SoakIndex {
    const first = this.#random.below(this.images.length);
    const children = [first, first + 3, first + 7]
      .slice(0, 1 + this.#random.below(3))
      .map((each) => this.images[each % this.images.length])
      .filter((image) => image !== undefined);
    const manifest = jsonContent(mediaTypes.index, {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: children.map((child) => descriptor(child.manifest)),
      annotations: { name: `index ${at}` },
    });
    const index = { kind: 'index' as const, manifest, children };
    this.#byDigest.set(manifest.digest, index);
    return index;
  }
}

export function imagesOf(pushable: Pushable): readonly SoakImage[] {
  return pushable.kind === 'image' ? [pushable] : pushable.children;
}

/** Of an account: the first part of its name. */
export function accountOf(repository: string): string {
  return repository.split('/')[0] ?? '';
}

function randomLayer(random: SeededRandom, name: string): Promise<Layer> {
  const compression = random.pick(['gzip', 'zstd', 'none'] as const);
  const size = 200 + random.below(layerBytesMax);
  return buildLayer([{ path: `app/${name}`, content: random.bytes(size) }], { compression, gzipLevel: 1 });
}
