/** Clients that push and pull one after another for a while, and how long each push and each pull took. */
import { randomBytes } from 'node:crypto';
import { request } from 'undici';
import { authorization } from '../../src/client/client.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { OneServer } from '../one-server.ts';

const layerBytes = 64 * 1024;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const emptyType = 'application/vnd.oci.empty.v1+json';

export interface Durations {
  readonly push: number[];
  readonly pull: number[];
}

export class Clients {
  readonly #url: string;
  readonly #server: OneServer;
  #headers: Record<string, string> = {};
  readonly #signal: AbortSignal;
  #pushed = 0;

  constructor(server: OneServer, signal: AbortSignal) {
    this.#url = `${server.url}/v2/bench/app`;
    this.#server = server;
    this.#signal = signal;
  }

  /** One pushes and two pull for so long; each begins again as soon as it has ended. */
  async storm(forMs: number): Promise<Durations> {
    await this.logIn();
    const durations: Durations = { push: [], pull: [] };
    const untilMs = performance.now() + forMs;
    const again = async (into: number[], work: () => Promise<void>) => {
      while (performance.now() < untilMs) {
        const beganMs = performance.now();
        await work();
        into.push(performance.now() - beganMs);
      }
    };
    const pull = () => again(durations.pull, () => this.pull());
    await Promise.all([again(durations.push, () => this.push()), pull(), pull()]);
    return durations;
  }

  /** A token, as a registry's client gets one: it lives longer than a round. */
  async logIn(): Promise<void> {
    const { url, admin } = this.#server;
    const asked = `${url}/v2/token?service=lazaret&scope=${encodeURIComponent('repository:bench/app:pull,push')}`;
    const { statusCode, body } = await request(asked, {
      headers: authorization(admin),
      signal: this.#signal,
    });
    const token = /"token":"([^"]+)"/.exec(await body.text())?.[1];
    if (token === undefined) throw new Error(`no token: ${statusCode}`);
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** A new layer, and the manifest that a tag then names. */
  async push(): Promise<void> {
    this.#pushed += 1;
    const layer = randomBytes(layerBytes);
    const empty = Buffer.from('{}');
    if (this.#pushed === 1) await this.#blob(empty);
    await this.#blob(layer);
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: 'application/vnd.lazaret.bench',
      config: { mediaType: emptyType, digest: digestOf(empty), size: empty.length },
      layers: [{ mediaType: 'application/octet-stream', digest: digestOf(layer), size: layer.length }],
    };
    // The first stays, to be pulled.
    const url = `${this.#url}/manifests/${this.#pushed === 1 ? 'pulled' : 'pushed'}`;
    await this.#ask('PUT', url, { body: JSON.stringify(manifest), type: manifestType });
  }

  /** The manifest by its tag, then its layer. */
  async pull(): Promise<void> {
    const text = await this.#ask('GET', `${this.#url}/manifests/pulled`);
    const digest = /"layers":\[\{[^}]*"digest":"([^"]+)"/.exec(text.toString())?.[1];
    const layer = await this.#ask('GET', `${this.#url}/blobs/${digest}`);
    if (layer.length !== layerBytes) throw new Error(`a pull ended after ${layer.length} bytes`);
  }

  async #blob(bytes: Buffer): Promise<void> {
    const begun = await request(`${this.#url}/blobs/uploads/`, {
      method: 'POST',
      headers: this.#headers,
      signal: this.#signal,
    });
    await begun.body.dump();
    const upload = new URL(String(begun.headers.location), this.#url);
    upload.searchParams.set('digest', digestOf(bytes));
    await this.#ask('PUT', upload.href, { body: bytes, type: 'application/octet-stream' });
  }

  async #ask(
    method: 'GET' | 'PUT',
    url: string,
    sent?: { body: Buffer | string; type: string },
  ): Promise<Buffer> {
    const headers = { ...this.#headers, ...(sent ? { 'content-type': sent.type } : { accept: '*/*' }) };
    const response = await request(url, { method, headers, signal: this.#signal, body: sent?.body ?? null });
    const body = Buffer.from(await response.body.arrayBuffer());
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${body}`);
    return body;
  }
}
