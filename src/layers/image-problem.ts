import { type ImageConfig, namesPlatform } from '../oci/config.ts';
import { isNonDistributable } from '../oci/media-types.ts';
import { databaseWord, hasRelease } from '../versions/distributions.ts';
import type { OsRelease } from './inventory.ts';

/** A layer in its place in an image, with what its reading found. */
export interface JudgedLayer {
  readonly position: number;
  readonly digest: string;
  readonly mediaType: string;
  /** Whether there are bytes to be read. */
  readonly isHere: boolean;
  readonly state: string;
  readonly reason: string | null;
  /** As the image's config claims it. */
  readonly claimedDiffId: string | null;
  readonly diffId: string | null;
  /** Extractors that could not read all they should have. */
  readonly problems: readonly { readonly extractor: string; readonly reason: string }[];
}

export type FoundConfig =
  | { readonly kind: 'read'; readonly config: ImageConfig }
  | { readonly kind: 'unread'; readonly reason: string };

/**
 * Whether there is anything that runs: what says where it runs, or has a layer that was read as a file system. Attestations
 * and signatures do neither, also where they have an image's config.
 */
export function isFilesystem(layers: readonly { readonly state: string }[], found: FoundConfig): boolean {
  const isForPlatform = found.kind === 'read' && namesPlatform(found.config);
  return isForPlatform || layers.some(({ state }) => state !== 'notApplicable');
}

type PackageOfDistribution = { readonly purl: string; readonly ecosystem: string };

/**
 * Why an image is *unknown*, as a sentence: the first of what could not be read, contradicts itself, or can't be matched
 * with advisories. A config that claims other layers than those that are there lies. undefined: nothing.
 */
export function imageProblem(image: {
  readonly layers: readonly JudgedLayer[];
  readonly config: FoundConfig;
  readonly shown: readonly PackageOfDistribution[];
  readonly os: OsRelease | undefined;
}): string | undefined {
  const { layers, config, shown, os } = image;
  return layerProblem(layers) ?? configProblem(layers, config) ?? releaseProblem(shown, os);
}

function layerProblem(layers: readonly JudgedLayer[]): string | undefined {
  for (const layer of layers) {
    if (!layer.isHere)
      return isNonDistributable(layer.mediaType)
        ? `layer ${layer.digest} is not distributed with the image`
        : `layer ${layer.digest} is not here`;
    if (layer.state !== 'done') return `layer ${layer.digest}: ${layer.reason ?? layer.state}`;
    const [problem] = layer.problems;
    if (problem) return `layer ${layer.digest}: ${problem.extractor}: ${problem.reason}`;
  }
  return undefined;
}

function configProblem(layers: readonly JudgedLayer[], found: FoundConfig): string | undefined {
  if (found.kind === 'unread') return `the config can't be read: ${found.reason}`;
  const { diffIds } = found.config;
  if (diffIds.length !== layers.length)
    return `the config lies about the layers: it names ${diffIds.length}, and there are ${layers.length}`;
  const lie = layers.find(
    ({ position, claimedDiffId, diffId }) =>
      diffId !== null &&
      (diffId !== diffIds[position] || (claimedDiffId !== null && claimedDiffId !== diffId)),
  );
  return (
    lie && `the config lies about layer ${lie.digest}: it is ${lie.diffId}, not ${diffIds[lie.position]}`
  );
}

function releaseProblem(
  shown: readonly PackageOfDistribution[],
  os: OsRelease | undefined,
): string | undefined {
  const lost = shown.find((found) => !hasRelease(found));
  if (lost === undefined) return undefined;
  const known =
    os === undefined ? 'the image does not say its distribution' : `'${os.id}' names no known release`;
  return `advisories can't be matched with its ${databaseWord(lost.purl)} packages: ${known}`;
}
