export interface InventorySize {
  readonly images: number;
  readonly layersPerImage: number;
  readonly packagesPerImage: number;
  readonly filesPerLayer: number;
  readonly distinctPackages: number;
  readonly advisories: number;
}

/** Ten of an image's layers are its own, so that 10,000 images have 100,000. */
const shape = { layersPerImage: 14, packagesPerImage: 300 };
const thousand: InventorySize = {
  ...{ images: 1_000, ...shape, filesPerLayer: 500, distinctPackages: 30_000, advisories: 50_000 },
};
const tenThousand: InventorySize = {
  ...{ images: 10_000, ...shape, filesPerLayer: 500, distinctPackages: 100_000, advisories: 500_000 },
};

export const tenThousandFewFiles: InventorySize = { ...tenThousand, filesPerLayer: 50 };

export const tiny: InventorySize = {
  ...{ images: 100, layersPerImage: 10, packagesPerImage: 60 },
  ...{ filesPerLayer: 20, distinctPackages: 2_000, advisories: 500 },
};

/** What `--only` names; each also on PostgreSQL. */
export const sizes: Readonly<Record<string, InventorySize>> = {
  '1000': thousand,
  '1000-few-files': { ...thousand, filesPerLayer: 50 },
  '10000': tenThousand,
  '10000-few-files': tenThousandFewFiles,
};

export const onPostgres = '-postgres';

/** A tenth of the images with the same dictionaries, so that nothing but the number of images differs. */
export function tenthOf(size: InventorySize): InventorySize {
  return { ...size, images: size.images / 10 };
}

export function layersOf({ images, layersPerImage }: InventorySize): number {
  return images * (layersPerImage - 4) + 80;
}

export function shapeText(size: InventorySize): string {
  const count = (n: number) => n.toLocaleString('en');
  const layers = layersOf(size);
  return `${count(size.images)} images, ${count(layers)} layers, ${count(size.images * size.packagesPerImage)} packages in images, ${count(layers * size.filesPerLayer)} file rows, ${count(size.advisories)} advisories`;
}
