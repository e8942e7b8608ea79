/**
 * A small client of the distribution API: what docker, skopeo and podman do when they push and pull, in as few requests
 * (opencontainers/distribution-spec, "Endpoints"). Everything that is pulled is verified against its digest.
 */
import { authorization, type Credentials } from '../src/client/client.ts';
import { type Digest, digestOf } from '../src/oci/digest.ts';
import type { Content, Image } from '../test/support/oci-layout.ts';

export interface RegistryOptions {
  readonly url: string;
  readonly repository: string;
  readonly credentials: Credentials;
  readonly signal: AbortSignal;
}

/** What came back, whatever the status. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** What stands in an error body of the distribution-spec. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const accept = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json'].join(
  ', ',
);

export class Registry {
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  manifest(reference: string, method: 'GET' | 'HEAD' = 'GET'): Promise<Answer> {
    return this.#send(method, `manifests/${reference}`, { headers: { accept } });
  }

  blob(digest: string, method: 'GET' | 'HEAD' = 'GET'): Promise<Answer> {
    return this.#send(method, `blobs/${digest}`);
  }

  referrers(digest: string): Promise<Answer> {
    return this.#send('GET', `referrers/${digest}`);
  }

  /** Skips what is there already, as clients do. @returns whether the bytes were sent */
  async pushBlob(content: Content): Promise<boolean> {
    if ((await this.blob(content.digest, 'HEAD')).status === 200) return false;
    const upload = await this.beginUpload();
    await this.finishUpload(upload, content.digest, content.bytes);
    return true;
  }

  /** @returns the path of the upload */
  async beginUpload(): Promise<string> {
    return locationOf(await this.#expect(202, 'POST', 'blobs/uploads/'));
  }

  /** @returns the path to go on with */
  async appendUpload(upload: string, bytes: Uint8Array): Promise<string> {
    const headers = { 'content-type': 'application/octet-stream' };
    return locationOf(await this.#expect(202, 'PATCH', upload, { headers, body: bytes }));
  }

  async finishUpload(upload: string, digest: Digest, bytes: Uint8Array = Buffer.alloc(0)): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' };
    const query = `${upload.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
    await this.#expect(201, 'PUT', `${upload}${query}`, { headers, body: bytes });
  }

  putManifest(manifest: Content, reference: string = manifest.digest): Promise<Answer> {
    const headers = { 'content-type': manifest.mediaType };
    return this.#send('PUT', `manifests/${reference}`, { headers, body: manifest.bytes });
  }

  /** Blobs first, then what names them. */
  async pushImage(image: Image, reference?: string): Promise<{ sentBytes: number }> {
    let sentBytes = 0;
    for (const content of [...image.layers, image.config])
      if (await this.pushBlob(content)) sentBytes += content.size;
    await this.pushManifest(image.manifest, reference);
    return { sentBytes };
  }

  async pushManifest(manifest: Content, reference?: string): Promise<void> {
    assertStatus(await this.putManifest(manifest, reference), 201, `PUT ${reference ?? manifest.digest}`);
  }

  /** Pulls all of an image and verifies each digest. @returns how many bytes came */
  async pullImage(image: Image, reference: string): Promise<number> {
    const manifest = await this.manifest(reference);
    assertStatus(manifest, 200, `GET ${reference}`);
    assertDigest(manifest.body, image.manifest.digest);
    let bytes = manifest.body.length;
    for (const { digest } of [image.config, ...image.layers]) {
      const blob = await this.blob(digest);
      assertStatus(blob, 200, `GET ${digest}`);
      assertDigest(blob.body, digest);
      bytes += blob.body.length;
    }
    return bytes;
  }

  async #expect(status: number, method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const answer = await this.#send(method, path, init);
    assertStatus(answer, status, `${method} ${path}`);
    return answer;
  }

  async #send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const { url, repository, credentials, signal } = this.#options;
    const target = path.startsWith('/') ? `${url}${path}` : `${url}/v2/${repository}/${path}`;
    const headers = { ...authorization(credentials), ...Object.fromEntries(new Headers(init.headers)) };
    const response = await fetch(target, { ...init, method, headers, signal, redirect: 'error' });
    return {
      status: response.status,
      headers: response.headers,
      body: Buffer.from(await response.arrayBuffer()),
    };
  }
}

/** The first error of the body. @throws Error when there is none */
export function refusalOf({ status, body }: Answer): Refusal {
  const document: unknown = JSON.parse(body.toString() || '{}');
  const errors = Object.entries(document ?? {}).find(([key]) => key === 'errors')?.[1];
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (typeof first !== 'object' || first === null || !('code' in first))
    throw new Error(`status ${status}, and no reason given`);
  const { code } = first;
  const message = 'message' in first ? first.message : '';
  return { status, code: String(code), message: String(message) };
}

function assertStatus(answer: Answer, status: number, what: string): void {
  if (answer.status === status) return;
  throw new Error(
    `${what}: status ${answer.status}, not ${status}: ${answer.body.toString().slice(0, 1_000)}`,
  );
}

function assertDigest(body: Buffer, digest: string): void {
  const found = digestOf(body);
  if (found !== digest) throw new Error(`asked for ${digest}, got ${found}`);
}

function locationOf({ headers }: Answer): string {
  const location = headers.get('location');
  if (location === null) throw new Error('the server named no location to go on with');
  const { pathname, search } = new URL(location, 'http://localhost');
  return `${pathname}${search}`;
}
