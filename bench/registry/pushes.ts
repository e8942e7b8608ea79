/** Pushes as clients make them: HEAD, POST, PATCH, PUT for each blob, then the manifest. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import {
  buildImage,
  buildLayer,
  type Content,
  type Image,
  type Layer,
} from '../../test/support/oci-layout.ts';
import type { LoadTarget } from './load-jobs.ts';
import type { PushedBlob } from './random-blobs.ts';

/** docker pushes so many layers of an image at once. */
export const layersAtOnce = 5;
const layersPerImage = 20;
const layerFileBytes = 16 * 1024;
const patienceMs = 300_000;

export class Pusher implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #target: LoadTarget;
  readonly #path: string;

  constructor(target: LoadTarget, connections: number) {
    const timeouts = { headersTimeout: patienceMs, bodyTimeout: patienceMs };
    this.#pool = new Pool(target.url, { connections, pipelining: 1, ...timeouts });
    this.#target = target;
    this.#path = `/v2/${target.repository}`;
  }

  /** @throws Error if it is there already */
  async blob({ digest, sizeBytes, pieces }: PushedBlob): Promise<void> {
    await this.#ask('HEAD', `${this.#path}/blobs/${digest}`, { expected: 404 });
    const begun = await this.#ask('POST', `${this.#path}/blobs/uploads/`, { expected: 202 });
    const sent = await this.#ask('PATCH', this.#next(begun).href, {
      body: pieces.length === 1 ? pieces[0] : Readable.from(pieces),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
      expected: 202,
    });
    const closing = this.#next(sent);
    closing.searchParams.set('digest', digest);
    await this.#ask('PUT', closing.href, { expected: 201 });
  }

  /** Its layers some at once, then its configuration, then the manifest under a tag. */
  async image({ layers, config, manifest }: Image, tag: string): Promise<void> {
    const left = [...layers];
    const next = async () => {
      for (let layer = left.pop(); layer; layer = left.pop()) await this.blob(blobOf(layer));
    };
    await Promise.all(Array.from({ length: layersAtOnce }, next));
    await this.blob(blobOf(config));
    await this.manifest(manifest, tag);
  }

  async manifest({ mediaType, bytes }: Content, tag: string): Promise<void> {
    const headers = { 'content-type': mediaType };
    await this.#ask('PUT', `${this.#path}/manifests/${tag}`, { body: bytes, headers, expected: 201 });
  }

  /** The whole list, by as many pages as the server makes of it. */
  async tags(): Promise<number> {
    let count = 0;
    for (let path: string | undefined = `${this.#path}/tags/list`; path !== undefined; ) {
      const { text, headers } = await this.#ask('GET', path, { expected: 200 });
      const list: { tags: unknown[] } = JSON.parse(text);
      count += list.tags.length;
      path = /<([^>]+)>; *rel="?next"?/.exec(String(headers.link ?? ''))?.[1];
    }
    return count;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.close();
  }

  #next({ headers }: { headers: Readonly<Record<string, unknown>> }): URL {
    return new URL(String(headers.location), this.#target.url);
  }

  async #ask(method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT', url: string, sent: Sent) {
    const { pathname, search } = new URL(url, this.#target.url);
    const { authorization } = this.#target;
    const response = await this.#pool.request({
      method,
      path: `${pathname}${search}`,
      headers: { ...sent.headers, ...(authorization === '' ? {} : { authorization }) },
      body: sent.body ?? null,
    });
    const text = await response.body.text();
    if (response.statusCode !== sent.expected)
      throw new Error(`${method} ${this.#target.url}${pathname}: ${response.statusCode} ${text}`);
    return { text, headers: response.headers };
  }
}

interface Sent {
  readonly body?: Uint8Array | Readable | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expected: number;
}

/** Of layers that nobody has seen yet. */
export async function newImage(layers = layersPerImage): Promise<Image> {
  const made: Layer[] = [];
  for (let at = 0; at < layers; at++)
    made.push(await buildLayer([{ path: `app/${at}`, content: randomBytes(layerFileBytes) }]));
  return buildImage({ layers: made });
}

function blobOf({ digest, size, bytes }: Content): PushedBlob {
  return { digest, sizeBytes: size, pieces: [bytes] };
}
