/**
 * Media types of image-spec 1.1 (media-types.md) and of Docker's image manifest v2.2. Parameters after `;` and letter
 * case don't count.
 */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociNonDistributable: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociNonDistributableGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociNonDistributableZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const;

const layers: ReadonlySet<string> = new Set([
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.ociNonDistributable,
  mediaTypes.ociNonDistributableGzip,
  mediaTypes.ociNonDistributableZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayerZstd,
  mediaTypes.dockerForeignLayer,
  mediaTypes.dockerForeignLayerGzip,
]);
const nonDistributable: ReadonlySet<string> = new Set([
  mediaTypes.ociNonDistributable,
  mediaTypes.ociNonDistributableGzip,
  mediaTypes.ociNonDistributableZstd,
  mediaTypes.dockerForeignLayer,
  mediaTypes.dockerForeignLayerGzip,
]);
const filesystemPrefixes = ['application/vnd.oci.image.layer.', 'application/vnd.docker.image.rootfs.'];

/** One of the layer types that the specifications name. */
export function isLayerMediaType(mediaType: string): boolean {
  return layers.has(bare(mediaType));
}

/**
 * A change of a file system, so that not being able to read it leaves something unknown. Wider than
 * `isLayerMediaType`: an encrypted layer, or one of a format that is yet to come, is a file system too. False for what
 * other artefacts put into `layers` (charts, signatures, SBOMs).
 */
export function isFilesystemLayer(mediaType: string): boolean {
  const type = bare(mediaType);
  return filesystemPrefixes.some((prefix) => type.startsWith(prefix));
}

export function isManifestMediaType(mediaType: string): boolean {
  const type = bare(mediaType);
  return type === mediaTypes.ociManifest || type === mediaTypes.dockerManifest;
}

export function isIndexMediaType(mediaType: string): boolean {
  const type = bare(mediaType);
  return type === mediaTypes.ociIndex || type === mediaTypes.dockerIndex;
}

/** A layer that need not be pushed: its bytes are fetched from elsewhere (image-spec, layer.md). */
export function isNonDistributable(mediaType: string): boolean {
  return nonDistributable.has(bare(mediaType));
}

function bare(mediaType: string): string {
  const end = mediaType.indexOf(';');
  return (end === -1 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase();
}
