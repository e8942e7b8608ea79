import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { errorOfBody } from '../contract/errors.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { type ByteSource, collect } from '../lib/streams.ts';
import { trusting } from './client.ts';
import { type RegistryAccess, RegistryTokens } from './registry-tokens.ts';

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  /** A path with its query, or an address that the registry gave. */
  readonly path: string;
  /** What a token must allow: `repository:acme/shop:pull`. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ByteSource;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take to begin. */
  readonly answerMs?: number;
}

export type RegistryResponse = Dispatcher.ResponseData;

const silenceMs = 30_000;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const again: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * A registry as its clients see it, whoever made it: how to log in is asked of it once (`GET /v2/`), then each request
 * carries a token for what it does, or the password where the registry knows no tokens. Requests that can be repeated
 * are, when the registry is away or asks for patience; a body that is a stream is sent once, and whoever sends it knows
 * how to go on. Redirects of reads are followed; credentials stay with the registry.
 */
export class RegistrySession {
  readonly url: string;
  readonly #access: RegistryAccess;
  readonly #tokens: RegistryTokens;

  constructor(access: RegistryAccess) {
    this.url = access.url;
    this.#access = access;
    this.#tokens = new RegistryTokens(access, (request) =>
      this.#once({ ...request, scopes: [] }, new URL(request.path)),
    );
  }

  /**
   * @returns the answer, whose body must be read or dumped
   * @throws unauthorized, denied, quarantined … as the registry answered; unavailable when it can't be reached
   */
  async send(request: RegistryRequest): Promise<RegistryResponse> {
    const response = await this.#patiently(request);
    if (response.statusCode < 400) return response;
    throw await errorOf(response);
  }

  /** As `send`, and undefined where the answer is 404. */
  async find(request: RegistryRequest): Promise<RegistryResponse | undefined> {
    const response = await this.#patiently(request);
    if (response.statusCode < 400) return response;
    if (response.statusCode !== 404) throw await errorOf(response);
    await response.body.dump();
    return undefined;
  }

  async #patiently(request: RegistryRequest): Promise<RegistryResponse> {
    const attemptsMax = isStream(request.body) ? 1 : limits.registryAttemptsMax;
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#authorized(request).catch((error: unknown) => {
        if (attempt >= attemptsMax || !(error instanceof LazaretError) || error.code !== 'unavailable')
          throw error;
        return undefined;
      });
      if (response !== undefined && (attempt >= attemptsMax || !again.has(response.statusCode)))
        return response;
      await response?.body.dump();
      await this.#wait(attempt, response?.headers['retry-after'], request.signal);
    }
  }

  async #wait(attempt: number, asked: unknown, signal: AbortSignal | undefined): Promise<void> {
    const doubled = limits.registryRetryFirstMs * 2 ** (attempt - 1);
    const seconds = typeof asked === 'string' && /^\d{1,6}$/.test(asked) ? Number(asked) : 0;
    const ms = Math.min(limits.registryRetryMaxMs, Math.max(doubled, seconds * 1_000));
    await this.#access.clock.sleep(ms, signal);
    signal?.throwIfAborted();
  }

  /** A token that has become too old, or too small, is renewed once. */
  async #authorized(request: RegistryRequest): Promise<RegistryResponse> {
    const given = await this.#tokens.headers(request.scopes, request.signal);
    const response = await this.#followed(request, given);
    if (response.statusCode !== 401 || isStream(request.body)) return response;
    const renewed = await this.#tokens.renewed(
      request.scopes,
      response.headers['www-authenticate'],
      request.signal,
    );
    if (renewed === undefined) return response;
    await response.body.dump();
    return this.#followed(request, renewed);
  }

  async #followed(
    request: RegistryRequest,
    authorization: Record<string, string>,
  ): Promise<RegistryResponse> {
    const own = new URL(this.url).origin;
    let address = new URL(request.path, this.url);
    for (let count = 0; ; count += 1) {
      const headers = { ...request.headers, ...(address.origin === own ? authorization : {}) };
      const response = await this.#once({ ...request, headers }, address);
      const { location } = response.headers;
      const reading = request.method === 'GET' || request.method === 'HEAD';
      if (!reading || !redirects.has(response.statusCode) || typeof location !== 'string') return response;
      await response.body.dump();
      address = this.#next(address, location, count);
    }
  }

  #next(from: URL, location: string, count: number): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    const plainer = to?.protocol !== 'https:' && !(to?.protocol === 'http:' && from.protocol === 'http:');
    if (to === undefined || plainer || count >= limits.registryRedirectsMax)
      throw new LazaretError(
        'unavailable',
        `${this.url} sends its callers to a place where nobody should follow`,
      );
    return to;
  }

  async #once(request: RegistryRequest, address: URL): Promise<RegistryResponse> {
    const { request: ask } = await import('undici');
    const { method, body, headers = {}, signal, answerMs = silenceMs } = request;
    try {
      return await ask(address, {
        method,
        headers,
        body: body === undefined ? null : body instanceof Uint8Array ? body : Readable.from(body),
        headersTimeout: answerMs,
        bodyTimeout: silenceMs,
        ...(signal ? { signal } : {}),
        ...(await trusting(this.#access)),
      });
    } catch (cause) {
      if (signal?.aborted || cause instanceof LazaretError) throw cause;
      throw new LazaretError('unavailable', `no answer from ${address.origin}: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }
}

/** The bytes of an answer; what cuts them off is `unavailable`. */
export async function* bodyOf(
  session: RegistrySession,
  response: RegistryResponse,
): AsyncGenerator<Uint8Array> {
  try {
    yield* response.body;
  } catch (cause) {
    if (cause instanceof LazaretError || (cause instanceof Error && cause.name === 'AbortError')) throw cause;
    throw new LazaretError('unavailable', `the connection to ${session.url} broke: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

async function errorOf(response: RegistryResponse): Promise<LazaretError> {
  const { statusCode: status } = response;
  const body = await bodyJson(response);
  const error = errorOfBody(status, body);
  if (status === 403 && typeof error.detail?.quarantine === 'string')
    return new LazaretError('quarantined', error.message, { detail: error.detail });
  if (status === 401) return new LazaretError('unauthorized', messageOr(error, 'log in first'));
  if (status === 403 && error.code === 'unavailable')
    return new LazaretError('denied', 'refused without a reason');
  return error;
}

function messageOr(error: LazaretError, other: string): string {
  return error.code === 'unavailable' ? other : error.message;
}

async function bodyJson(response: RegistryResponse): Promise<unknown> {
  try {
    return JSON.parse((await collect(response.body, limits.apiBodyBytesMax)).toString());
  } catch {
    return undefined; // a page, or nothing; the status says enough
  }
}

function isStream(body: RegistryRequest['body']): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
