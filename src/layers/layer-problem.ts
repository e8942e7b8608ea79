import { limits } from '../lib/limits.ts';

/** What is wrong with a layer's bytes, as a sentence for a person. It makes the layer *unknown*; it is never a crash. */
export class LayerProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LayerProblem';
  }
}

/** The limits of reading one layer; tests pass smaller ones. */
export type LayerLimits = { readonly [K in LayerLimitName]: number };
type LayerLimitName =
  | 'layerUncompressedBytesMax'
  | 'layerRatioMax'
  | 'layerRatioFromBytes'
  | 'layerEntriesMax'
  | 'layerPathBytesMax'
  | 'layerPathDepthMax'
  | 'layerHeaderBytesMax'
  | 'layerInspectMs'
  | 'layerPackagesMax'
  | 'layerArchivesRemembered'
  | 'packageNameLengthMax'
  | 'layerSecretsMax'
  | 'secretFileBytesMax'
  | 'extractStartBytes'
  | 'extractHeldBytesMax'
  | 'extractFileBytesMax'
  | 'extractSpoolBytesMax'
  | 'layerHeldBytesMax';

export const layerLimits: LayerLimits = limits;
