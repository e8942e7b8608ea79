export interface Sizes {
  /** That count; one more warms up. */
  readonly rounds: number;
  readonly manifestMs: number;
  readonly blobBytes: number;
  readonly imagesInRound: number;
  readonly tags: number;
  readonly listsInRound: number;
  /** Of each of the blobs that are pushed while memory is looked at. */
  readonly largeBytes: number;
  readonly blobsInStore: number;
  readonly manifestsInStore: number;
}

const mib = 1024 * 1024;

export const fullSizes: Sizes = {
  rounds: 3,
  manifestMs: 5_000,
  blobBytes: 256 * mib,
  imagesInRound: 10,
  tags: 10_000,
  listsInRound: 20,
  largeBytes: 1024 * mib,
  blobsInStore: 1_000_000,
  manifestsInStore: 1_000_000,
};

export const tinySizes: Sizes = {
  rounds: 1,
  manifestMs: 200,
  blobBytes: 4 * mib,
  imagesInRound: 1,
  tags: 20,
  listsInRound: 2,
  largeBytes: 8 * mib,
  blobsInStore: 1_000,
  manifestsInStore: 1_000,
};
