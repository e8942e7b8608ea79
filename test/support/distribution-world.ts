import { expect } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { http } from './http.ts';
import { buildImage, type Layer } from './oci-layout.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar';

/** A server with people of two accounts. */
export interface DistributionWorld {
  readonly server: TestServer;
  /** Maintains what is acme's. */
  readonly acme: Client;
  /** May only pull what is acme's. */
  readonly reader: Client;
  /** Maintains what is globex's. */
  readonly stranger: Client;
}

export interface PushedImage {
  readonly digest: string;
  readonly layer: string;
  readonly body: string;
}

export async function openDistributionWorld(options: TestServerOptions = {}): Promise<DistributionWorld> {
  const server = await startTestServer(options);
  const role = (name: string, account: string, roleName: 'maintainer' | 'reader') =>
    server.user(name, account, [{ role: roleName, account, repositoryGlob: null }]);
  return {
    server,
    acme: await role('acme-ci', 'acme', 'maintainer'),
    reader: await role('jo', 'acme', 'reader'),
    stranger: await role('mia', 'globex', 'maintainer'),
  };
}

/** By POST and PUT. @returns its digest */
export async function pushBlob(client: Client, repository: string, content: string): Promise<Digest> {
  const digest = digestOf(content);
  const begun = await http(client, `POST /v2/${repository}/blobs/uploads/`);
  const location = begun.headers.get('location') ?? '';
  const closed = await http(client, `PUT ${location}?digest=${digest}`, { body: content });
  expect(closed.status).toBe(201);
  return digest;
}

/** One layer, which is no tar, and a config that tells the truth about it. `image`: `acme/shop:1`. */
export async function pushImage(client: Client, image: string): Promise<PushedImage> {
  const [repository = '', tag = ''] = image.split(':');
  const content = `layer of ${image}`;
  const layer = await pushBlob(client, repository, content);
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer] },
  });
  const configDigest = await pushBlob(client, repository, config);
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest: configDigest, size: Buffer.byteLength(config) },
    layers: [{ mediaType: layerType, digest: layer, size: Buffer.byteLength(content) }],
  });
  const headers = { 'content-type': manifestType };
  const put = await http(client, `PUT /v2/${repository}/manifests/${tag}`, { body, headers });
  expect(put.status).toBe(201);
  expect(put.headers.get('docker-content-digest')).toBe(digestOf(body));
  return { digest: digestOf(body), layer, body };
}

/** An image of these layers, pushed as a client would. @returns its digest */
export async function pushLayers(client: Client, image: string, layers: readonly Layer[]): Promise<string> {
  const [repository = '', tag = ''] = image.split(':');
  const { config, manifest } = buildImage({ layers });
  for (const blob of [config, ...layers]) {
    const begun = await http(client, `POST /v2/${repository}/blobs/uploads/`);
    const location = begun.headers.get('location') ?? '';
    const closed = await http(client, `PUT ${location}?digest=${blob.digest}`, { body: blob.bytes });
    expect(closed.status).toBe(201);
  }
  const headers = { 'content-type': manifest.mediaType };
  const put = await http(client, `PUT /v2/${repository}/manifests/${tag}`, { body: manifest.bytes, headers });
  expect(put.status).toBe(201);
  return manifest.digest;
}
