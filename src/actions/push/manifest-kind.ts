import { type ImageConfig, namesPlatform } from '../../oci/config.ts';
import type { ImageManifest, Manifest } from '../../oci/manifest.ts';
import { isFilesystemLayer } from '../../oci/media-types.ts';
import { storable } from '../../records/inventory/rows.ts';
import { hasImageConfig } from './image-config.ts';

/** An attestation, or a signature, has an image's config all the same: one for no platform, of layers that are no file system. */
export function kindOf(manifest: Manifest, config: ImageConfig | undefined): 'image' | 'index' | 'artifact' {
  if (manifest.kind === 'index') return 'index';
  if (!hasImageConfig(manifest)) return 'artifact';
  return config === undefined || namesPlatform(config) || holdsFilesystem(manifest) ? 'image' : 'artifact';
}

/** undefined for a config that leaves it open. */
export function platformOf({ os, architecture, variant }: ImageConfig): string | undefined {
  const parts = variant === undefined ? [os, architecture] : [os, architecture, variant];
  return parts.includes('') ? undefined : storable(parts.join('/'));
}

function holdsFilesystem({ layers }: ImageManifest): boolean {
  return layers.length === 0 || layers.some((layer) => isFilesystemLayer(layer.mediaType));
}
