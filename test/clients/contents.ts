/** What the clients push and pull, each as an OCI layout in a folder of its own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxLayer } from '../support/busybox.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  content,
  descriptor,
  type Image,
  jsonContent,
  type Layer,
  mediaTypes,
  ownArchitecture,
  writeContents,
} from '../support/oci-layout.ts';

export interface Contents {
  readonly kind: 'artifact' | 'image' | 'index' | 'zstd';
  /** The folder; what it holds is there called `latest`. */
  readonly layout: string;
  readonly root: Content;
  readonly parts: readonly Content[];
  /** Layouts of its platforms' images, for clients that make an index themselves. */
  readonly platforms: readonly Contents[];
}

export interface AllContents {
  readonly image: Contents;
  /** Its second layer is the one that holds `app/banned`. */
  readonly marked: Contents;
  readonly zstd: Contents;
  /** Whose layer is not compressed. */
  readonly plain: Contents;
  /** As BuildKit pushes it: two platforms, and an attestation of each. */
  readonly index: Contents;
  /** A bill of materials, whose subject is `image`. */
  readonly artifact: Contents;
}

const otherArchitecture = ownArchitecture === 'amd64' ? 'arm64' : 'amd64';

export async function writeAllContents(folder: string): Promise<AllContents> {
  const write = async (name: string, kind: Contents['kind'], what: Pick<Contents, 'root' | 'parts'>) => {
    const layout = join(folder, name);
    await mkdir(layout, { recursive: true });
    await writeContents(layout, what);
    return { kind, layout, platforms: [], ...what };
  };
  const base = await busyboxLayer();
  const marker = await buildLayer([{ path: 'app/banned', content: 'to be marked' }]);
  const zstd = await buildLayer([{ path: 'etc/zstd', content: 'x' }], { compression: 'zstd' });
  const plain = await buildLayer([{ path: 'etc/plain', content: 'x' }], { compression: 'none' });
  const image = runnable([base]);
  const other = runnable([await buildLayer([{ path: 'etc/other', content: 'x' }])], {
    architecture: otherArchitecture,
  });
  const platforms = [
    await write('own', 'image', partsOf(image)),
    await write('other', 'image', partsOf(other)),
  ] as const;
  return {
    image: platforms[0],
    marked: await write('marked', 'image', partsOf(runnable([base, marker]))),
    zstd: await write('zstd', 'zstd', partsOf(runnable([zstd]))),
    plain: await write('plain', 'image', partsOf(runnable([plain]))),
    index: { ...(await write('index', 'index', buildKitIndex(image, other))), platforms },
    artifact: await write('artifact', 'artifact', billOfMaterials(image.manifest)),
  };
}

function runnable(layers: readonly Layer[], parts: { architecture?: string } = {}): Image {
  return buildImage({ layers, config: { Cmd: ['/bin/sh'] }, ...parts });
}

function partsOf({ manifest, config, layers }: Image): Pick<Contents, 'root' | 'parts'> {
  return { root: manifest, parts: [config, ...layers] };
}

/** https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
function buildKitIndex(own: Image, other: Image): Pick<Contents, 'root' | 'parts'> {
  const [first, second] = [attestationOf(own), attestationOf(other)];
  const platform = (image: Image, architecture: string) => ({
    ...descriptor(image.manifest),
    platform: { architecture, os: 'linux' },
  });
  const attests = (attestation: Image, image: Image) => ({
    ...descriptor(attestation.manifest),
    annotations: {
      'vnd.docker.reference.digest': image.manifest.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { architecture: 'unknown', os: 'unknown' },
  });
  const root = jsonContent(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      platform(own, ownArchitecture),
      platform(other, otherArchitecture),
      attests(first, own),
      attests(second, other),
    ],
  });
  const images = [own, other, first, second];
  return { root, parts: images.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]) };
}

/** An in-toto statement as the one layer of an image of no platform. */
function attestationOf({ manifest }: Image): Image {
  const statement = jsonContent('application/vnd.in-toto+json', {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: [{ name: 'shop', digest: { sha256: manifest.digest.slice('sha256:'.length) } }],
    predicate: {},
  });
  const layers = [{ ...statement, diffId: statement.digest }];
  return buildImage({ layers, os: 'unknown', architecture: 'unknown' });
}

function billOfMaterials(subject: Content): Pick<Contents, 'root' | 'parts'> {
  const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const bill = jsonContent('application/spdx+json', { spdxVersion: 'SPDX-2.3', name: 'shop', packages: [] });
  const root = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: 'application/spdx+json',
    config: descriptor(empty),
    layers: [descriptor(bill)],
    subject: descriptor(subject),
  });
  return { root, parts: [empty, bill] };
}
