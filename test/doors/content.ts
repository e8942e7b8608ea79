/** What is pushed to the doors: every media type of blob, every kind of manifest, every nesting. */
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type Content, content, type Descriptor, descriptor, jsonContent } from '../support/oci-layout.ts';

/** A kind of blob, and the kind of manifest that names it. */
export interface BlobKind {
  readonly name: string;
  readonly mediaType: string;
  readonly as: 'config' | 'layer';
  readonly manifestType: typeof mediaTypes.ociManifest | typeof mediaTypes.dockerManifest;
}

const kind = (
  name: string,
  mediaType: string,
  as: BlobKind['as'],
  manifestType: BlobKind['manifestType'] = mediaTypes.ociManifest,
): BlobKind => ({ name, mediaType, as, manifestType });

export const blobKinds: readonly BlobKind[] = [
  kind('an OCI config', mediaTypes.ociConfig, 'config'),
  kind('a Docker config', mediaTypes.dockerConfig, 'config', mediaTypes.dockerManifest),
  kind("an artefact's config", 'application/vnd.cncf.helm.config.v1+json', 'config'),
  kind('a gzip layer', mediaTypes.ociLayerGzip, 'layer'),
  kind('a zstd layer', mediaTypes.ociLayerZstd, 'layer'),
  kind('an uncompressed layer', mediaTypes.ociLayer, 'layer'),
  kind('a non-distributable layer', mediaTypes.ociNonDistributableGzip, 'layer'),
  kind('a Docker layer', mediaTypes.dockerLayerGzip, 'layer', mediaTypes.dockerManifest),
  kind('a Docker foreign layer', mediaTypes.dockerForeignLayerGzip, 'layer', mediaTypes.dockerManifest),
  kind("an artefact's blob", 'application/spdx+json', 'layer'),
];

/** Other bytes for each `seed`. */
export function blobOf({ mediaType, as }: Pick<BlobKind, 'mediaType' | 'as'>, seed: string): Content {
  return as === 'config' ? configOf(seed, mediaType) : content(mediaType, Buffer.from(seed));
}

/** A manifest that names `blob`, and the other blob that it needs. */
export function manifestNaming(of: BlobKind, blob: Content): { manifest: Content; other: Content } {
  const other = blobOf(otherOf(of), `beside ${blob.digest}`);
  const [config, layer] = of.as === 'config' ? [blob, other] : [other, blob];
  return { manifest: imageOf({ mediaType: of.manifestType, config, layers: [layer] }), other };
}

function otherOf({ as, manifestType }: BlobKind): Pick<BlobKind, 'mediaType' | 'as'> {
  const docker = manifestType === mediaTypes.dockerManifest;
  if (as === 'config')
    return { as: 'layer', mediaType: docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip };
  return { as: 'config', mediaType: docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig };
}

/** What is pushed together, children first. Its `parts` are what may be marked. */
export interface Pushed {
  readonly contents: readonly Content[];
  readonly top: Content;
  readonly parts: Readonly<Record<string, Content>>;
}

export interface Shape {
  readonly name: string;
  readonly build: (seed: string) => Pushed;
  /** Parts of which a mark refuses the whole. */
  readonly needs: readonly string[];
}

const image = (seed: string, docker = false) => {
  const config = configOf(seed, docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig);
  const layer = content(docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip, Buffer.from(seed));
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const manifest = imageOf({ mediaType, config, layers: [layer] });
  return { config, layer, manifest };
};

export const shapes: readonly Shape[] = [
  { name: 'an OCI image', needs: ['itself', 'config', 'layer'], build: (seed) => single(image(seed)) },
  {
    name: 'a Docker image',
    needs: ['itself', 'config', 'layer'],
    build: (seed) => single(image(seed, true)),
  },
  { name: 'an artefact', needs: ['itself', 'layer'], build: (seed) => single(artefactOf(seed)) },
  {
    name: 'an artefact with a subject',
    needs: ['itself', 'layer'],
    build: (seed) => single(artefactOf(seed, descriptor(image(`absent ${seed}`).manifest))),
  },
  {
    name: 'an index of an image',
    needs: ['itself', 'child', 'config', 'layer'],
    build: (seed) => nested(seed, mediaTypes.ociIndex),
  },
  {
    name: 'a Docker list of an image',
    needs: ['itself', 'child', 'config', 'layer'],
    build: (seed) => nested(seed, mediaTypes.dockerIndex),
  },
  {
    name: 'an index of an index of an image',
    needs: ['itself', 'inner', 'child', 'config', 'layer'],
    build: (seed) => {
      const inside = nested(seed, mediaTypes.ociIndex);
      const top = indexOf(mediaTypes.ociIndex, [descriptor(inside.top)]);
      return {
        contents: [...inside.contents, top],
        top,
        parts: { ...inside.parts, itself: top, inner: inside.top },
      };
    },
  },
  {
    name: 'an index of an image and its attestation',
    needs: ['itself', 'child', 'config', 'layer'],
    build: (seed) => attested(seed, attestationOf(seed)),
  },
  {
    name: 'an index of an image and an attestation that is an artefact',
    needs: ['child', 'layer'],
    build: (seed) => attested(seed, artefactOf(`attests ${seed}`)),
  },
];

function single(parts: { config: Content; layer: Content; manifest: Content }): Pushed {
  const { config, layer, manifest } = parts;
  return { contents: [config, layer, manifest], top: manifest, parts: { config, layer, itself: manifest } };
}

function nested(seed: string, mediaType: string): Pushed {
  const child = image(seed, mediaType === mediaTypes.dockerIndex);
  const top = indexOf(mediaType, [{ ...descriptor(child.manifest), platform: amd64 }]);
  const { config, layer, manifest } = child;
  return {
    contents: [config, layer, manifest, top],
    top,
    parts: { config, layer, child: manifest, itself: top },
  };
}

/** As BuildKit builds it: beside the image its provenance, for no platform. */
function attested(seed: string, attestation: { config: Content; layer: Content; manifest: Content }): Pushed {
  const { config, layer, manifest } = image(seed);
  const top = indexOf(mediaTypes.ociIndex, [
    { ...descriptor(manifest), platform: amd64 },
    { ...descriptor(attestation.manifest), platform: { architecture: 'unknown', os: 'unknown' } },
  ]);
  const beside = [attestation.config, attestation.layer, attestation.manifest];
  return {
    contents: [config, layer, manifest, ...beside, top],
    top,
    parts: { config, layer, child: manifest, itself: top, attestation: attestation.manifest },
  };
}

function attestationOf(seed: string) {
  const config = configOf(`attests ${seed}`, mediaTypes.ociConfig, 'unknown');
  const layer = content('application/vnd.in-toto+json', Buffer.from(`attests ${seed}`));
  return { config, layer, manifest: imageOf({ mediaType: mediaTypes.ociManifest, config, layers: [layer] }) };
}

/** An SBOM, a VEX document, a signature: whatever is attached to `subject`. */
export function artefactOf(seed: string, subject?: Descriptor) {
  const config = content(mediaTypes.ociEmpty, Buffer.from('{}'));
  const layer = content('application/spdx+json', Buffer.from(`sbom ${seed}`));
  const manifest = jsonContent(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'application/spdx+json',
    config: descriptor(config),
    layers: [descriptor(layer)],
    ...(subject && { subject }),
  });
  return { config, layer, manifest };
}

export function imageOf(of: { mediaType: string; config: Content; layers: readonly Content[] }): Content {
  return jsonContent(of.mediaType, {
    schemaVersion: 2,
    mediaType: of.mediaType,
    config: descriptor(of.config),
    layers: of.layers.map(descriptor),
  });
}

export function indexOf(mediaType: string, manifests: readonly (Descriptor | object)[]): Content {
  return jsonContent(mediaType, { schemaVersion: 2, mediaType, manifests });
}

const amd64 = { architecture: 'amd64', os: 'linux' };

export function configOf(seed: string, mediaType: string, platform?: 'unknown'): Content {
  return jsonContent(mediaType, {
    architecture: platform ?? 'amd64',
    os: platform ?? 'linux',
    config: { Labels: { seed } },
    rootfs: { type: 'layers', diff_ids: [digestOf(seed)] },
  });
}
