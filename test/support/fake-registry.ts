import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Content } from './oci-layout.ts';

/**
 * A registry to be read from that misbehaves as told: it has a manifest per reference and a repository only, knows no
 * referrers API, and can cut its blobs off.
 */
export interface FakeRegistry {
  /** `127.0.0.1:4711` */
  readonly host: string;
  readonly manifests: Map<string, Content>;
  readonly blobs: Map<string, Content>;
  /** `GET /v2/shop/blobs/sha256:… bytes=5-`, in the order in which they came. */
  readonly asked: string[];
  /** What of a blob is sent before something happens to the connection; nothing happens where it is undefined. */
  cut: { readonly afterBytes: number; readonly how: 'break' | 'hang' } | undefined;
  /** Resolves when a blob was cut. */
  wasCut(): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeRegistry(repository: string): Promise<FakeRegistry> {
  let told: () => void = () => {};
  const manifests = new Map<string, Content>();
  const blobs = new Map<string, Content>();
  const server: Server = createServer((request, response) => {
    registry.asked.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    const [, kind, reference = ''] =
      /^\/v2\/(?:[\w/]+)\/(tags|manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
    if (request.url === '/v2/') response.end('{}');
    else if (kind === 'tags') response.end(JSON.stringify({ name: repository, tags: tagsOf(manifests) }));
    else if (kind === 'manifests') sendManifest(response, manifests.get(reference));
    else if (kind === 'blobs') sendBlob(registry, { request, response, blob: blobs.get(reference), told });
    else response.writeHead(404).end('not here');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const { port } = isAddress(address) ? address : { port: 0 };
  const registry: FakeRegistry = {
    host: `127.0.0.1:${port}`,
    manifests,
    blobs,
    asked: [],
    cut: undefined,
    wasCut: () =>
      new Promise<void>((resolve) => {
        told = resolve;
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function isAddress(address: ReturnType<Server['address']>): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

function tagsOf(manifests: ReadonlyMap<string, Content>): string[] {
  return [...manifests.keys()].filter((reference) => !reference.includes(':'));
}

function sendManifest(response: ServerResponse, manifest: Content | undefined): void {
  if (manifest === undefined) return void response.writeHead(404).end();
  const { mediaType, digest, size, bytes } = manifest;
  response.writeHead(200, {
    'content-type': mediaType,
    'docker-content-digest': digest,
    'content-length': size,
  });
  response.end(bytes);
}

interface BlobAsked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly blob: Content | undefined;
  readonly told: () => void;
}

function sendBlob(registry: FakeRegistry, { request, response, blob, told }: BlobAsked): void {
  if (blob === undefined) return void response.writeHead(404).end();
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const bytes = blob.bytes.subarray(start);
  response.writeHead(start === 0 ? 200 : 206, { 'content-length': bytes.length });
  if (request.method === 'HEAD') return void response.end();
  const { cut } = registry;
  if (cut === undefined || cut.afterBytes >= bytes.length) return void response.end(bytes);
  response.write(bytes.subarray(0, cut.afterBytes), () => {
    if (cut.how === 'break') response.destroy();
    told();
  });
}
