/** A little of everything that an import meets, and writers that lay it out as each kind of source does. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '../../src/client/client.ts';
import { http } from './http.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  content,
  descriptor,
  type Image,
  jsonContent,
  mediaTypes,
} from './oci-layout.ts';

const run = promisify(execFile);

export interface ImportContent {
  /** `shop:1`, two layers. */
  readonly image: Image;
  /** A child of the index only; shares its first layer. */
  readonly other: Image;
  /** `shop:multi`, of both. */
  readonly index: Content;
  /** Without a tag, about `shop:1`. */
  readonly referrer: Content;
  readonly tags: Readonly<Record<string, Content>>;
  readonly manifests: readonly Content[];
  readonly blobs: readonly Content[];
}

export async function importContent(): Promise<ImportContent> {
  const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  const app = await buildLayer([{ path: 'app/main.js', content: 'app '.repeat(500) }], {
    compression: 'none',
  });
  const image = buildImage({ layers: [base, app], config: { Cmd: ['/bin/sh'] } });
  const other = buildImage({ layers: [base], annotations: { 'org.example.variant': 'small' } });
  const index = jsonContent(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [image, other].map((one) => descriptor(one.manifest)),
    'org.example.unknown': 'kept',
  });
  const payload = content('application/vnd.example.signature', Buffer.from('signed'));
  const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const referrer = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: 'application/vnd.example.signature',
    config: descriptor(empty),
    layers: [descriptor(payload)],
    subject: descriptor(image.manifest),
  });
  return {
    image,
    other,
    index,
    referrer,
    tags: { '1': image.manifest, multi: index },
    manifests: [image.manifest, other.manifest, index, referrer],
    blobs: [base, app, image.config, other.config, payload, empty],
  };
}

/** An OCI image layout whose index names the tags, and the referrer without one. */
export async function writeImportLayout(folder: string, of: ImportContent): Promise<void> {
  for (const part of [...of.manifests, ...of.blobs])
    await put(join(folder, 'blobs/sha256', hexOf(part)), part.bytes);
  const named = Object.entries(of.tags).map(([tag, tagged]) => ({
    ...descriptor(tagged),
    annotations: { 'org.opencontainers.image.ref.name': tag },
  }));
  const manifests = [...named, descriptor(of.referrer)];
  await put(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await put(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

/** What `docker save` wrote until docker 25: of `shop:1`, its plain layers in folders, one of them by a link. */
export async function writeDockerArchive(archive: string, image: Image): Promise<void> {
  const folder = `${archive}.d`;
  const config = `${hexOf(image.config)}.json`;
  await put(join(folder, config), image.config.bytes);
  const paths: string[] = [];
  for (const layer of image.layers) {
    paths.push(`${hexOf(layer)}/layer.tar`);
    await put(join(folder, hexOf(layer), 'layer.tar'), layer.bytes);
  }
  const images = [{ Config: config, RepoTags: ['shop:1', 'localhost:5000/team/shop:2'], Layers: paths }];
  await put(join(folder, 'manifest.json'), JSON.stringify(images));
  await tarOfFolder(folder, archive);
}

/** The data folder of CNCF distribution, with one repository. */
export async function writeDistributionFolder(
  folder: string,
  repository: string,
  of: ImportContent,
): Promise<void> {
  const root = join(folder, 'docker/registry/v2');
  const own = join(root, 'repositories', repository);
  const link = (path: string, to: Content) => put(join(own, path, 'link'), to.digest);
  for (const part of [...of.manifests, ...of.blobs]) await put(distributionData(folder, part), part.bytes);
  for (const manifest of of.manifests) await link(`_manifests/revisions/sha256/${hexOf(manifest)}`, manifest);
  for (const blob of of.blobs) await link(`_layers/sha256/${hexOf(blob)}`, blob);
  for (const [tag, tagged] of Object.entries(of.tags)) {
    await link(`_manifests/tags/${tag}/current`, tagged);
    await link(`_manifests/tags/${tag}/index/sha256/${hexOf(tagged)}`, tagged);
  }
}

export function distributionData(folder: string, part: Content): string {
  return join(folder, 'docker/registry/v2/blobs/sha256', hexOf(part).slice(0, 2), hexOf(part), 'data');
}

/** As a client would. */
export async function pushContent(
  client: Client,
  repository: string,
  of: Pick<ImportContent, 'tags' | 'manifests' | 'blobs'>,
): Promise<void> {
  for (const blob of of.blobs)
    await expectStatus(
      http(client, `POST /v2/${repository}/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes }),
    );
  const references = of.manifests.map((manifest) => [manifest.digest, manifest] as const);
  for (const [reference, { bytes, mediaType }] of [...references, ...Object.entries(of.tags)]) {
    const headers = { 'content-type': mediaType };
    await expectStatus(
      http(client, `PUT /v2/${repository}/manifests/${reference}`, { body: bytes, headers }),
    );
  }
}

export async function tarOfFolder(folder: string, archive: string): Promise<void> {
  await run('tar', ['-C', folder, '-cf', archive, '.']);
}

async function expectStatus(response: Promise<Response>): Promise<void> {
  const { status, url } = await response;
  if (status !== 201) throw new Error(`${url} answered with ${status}`);
}

function hexOf({ digest }: Content): string {
  return digest.slice('sha256:'.length);
}

async function put(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
