import type { Dispatcher } from 'undici';
import type { Clock } from '../lib/clock.ts';
import { LazaretError } from '../lib/errors.ts';
import { isRecord } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { collect } from '../lib/streams.ts';
import { authorization, type Client } from './client.ts';
import { type Challenge, parseChallenge, realmAddress } from './registry-challenge.ts';

/** Where a registry is, and who calls it. */
export type RegistryAccess = Pick<Client, 'url' | 'credentials' | 'ca'> & { readonly clock: Clock };

type Headers = Record<string, string>;

export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Headers;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal | undefined;
}
type Ask = (request: TokenRequest) => Promise<Dispatcher.ResponseData>;

/** A token is not used any more when it ends within this. */
const marginMs = 10_000;
/** Of a token whose issuer does not say ("Token Authentication Specification"). */
const lifeDefaultMs = 60_000;

/**
 * What a registry wants to see of its caller, asked for once and kept: distribution's token protocol, or Basic. A token that
 * docker keeps in place of the password (`identitytoken`) is shown as it is where the registry takes that, as Lazaret does;
 * where it does not, it is exchanged ("OAuth2 Token Authentication").
 */
export class RegistryTokens {
  readonly #access: RegistryAccess;
  readonly #ask: Ask;
  readonly #kept = new Map<string, { readonly token: string; readonly untilMs: number }>();
  #challenge: Promise<Challenge | undefined> | undefined;

  constructor(access: RegistryAccess, ask: Ask) {
    this.#access = access;
    this.#ask = ask;
  }

  /** @throws unauthorized; unavailable */
  async headers(scopes: readonly string[], signal: AbortSignal | undefined): Promise<Headers> {
    const { credentials } = this.#access;
    if (credentials?.kind === 'bearer' && this.#challenge === undefined) return authorization(credentials);
    this.#challenge ??= this.#asked(signal);
    const challenge = await this.#challenge.catch((error: unknown) => {
      this.#challenge = undefined;
      throw error;
    });
    return challenge === undefined ? {} : this.#answerTo(challenge, scopes, signal);
  }

  /** After a 401: what to try next, if anything. */
  async renewed(
    scopes: readonly string[],
    header: string | string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Headers | undefined> {
    const challenge = parseChallenge(header);
    if (challenge === undefined) return undefined;
    if (challenge.kind === 'basic' && this.#access.credentials?.kind === 'bearer') return undefined;
    const known = await this.#challenge;
    if (challenge.kind === 'basic' && known?.kind === 'basic') return undefined; // the password was tried
    this.#challenge = Promise.resolve(challenge);
    this.#kept.delete(scopes.join(' '));
    return this.#answerTo(challenge, scopes, signal);
  }

  async #asked(signal: AbortSignal | undefined): Promise<Challenge | undefined> {
    const response = await this.#ask({ method: 'GET', path: `${this.#access.url}/v2/`, headers: {}, signal });
    await response.body.dump();
    if (response.statusCode !== 401) return undefined;
    return parseChallenge(response.headers['www-authenticate']);
  }

  async #answerTo(
    challenge: Challenge,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Headers> {
    if (challenge.kind === 'basic') return authorization(this.#access.credentials);
    const key = scopes.join(' ');
    const kept = this.#kept.get(key);
    const nowMs = this.#access.clock.bootMs();
    if (kept !== undefined && kept.untilMs - marginMs > nowMs) return bearer(kept.token);
    const { token, lifeMs } = await this.#issued(challenge, scopes, signal);
    this.#kept.set(key, { token, untilMs: nowMs + lifeMs });
    return bearer(token);
  }

  async #issued(
    { realm, service }: Extract<Challenge, { kind: 'bearer' }>,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<{ token: string; lifeMs: number }> {
    const address = realmAddress(realm, this.#access.url);
    const asked = new URLSearchParams(service === undefined ? {} : { service });
    for (const scope of scopes) asked.append('scope', scope);
    const response = await this.#ask({ ...this.#tokenRequest(address, asked), signal });
    const text = (await collect(response.body, limits.apiBodyBytesMax)).toString();
    const { statusCode: status } = response;
    if (status === 401 || status === 403 || status === 400)
      throw new LazaretError('unauthorized', `${address.host} gives no token for ${this.#access.url}`);
    const answer = status === 200 ? parsed(text) : undefined;
    const token = answer?.token ?? answer?.access_token;
    if (typeof token !== 'string' || token === '')
      throw new LazaretError('unavailable', `${address.host} answered with status ${status} and no token`);
    const seconds = answer?.expires_in;
    return { token, lifeMs: typeof seconds === 'number' ? seconds * 1_000 : lifeDefaultMs };
  }

  #tokenRequest(address: URL, asked: URLSearchParams): Omit<TokenRequest, 'signal'> {
    const { credentials } = this.#access;
    if (credentials?.kind === 'bearer') {
      const form = { grant_type: 'refresh_token', refresh_token: credentials.token, client_id: 'lazaret' };
      // Here several scopes are one text with spaces between.
      const service = asked.get('service');
      const body = new URLSearchParams({ ...form, scope: asked.getAll('scope').join(' ') });
      if (service !== null) body.set('service', service);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return { method: 'POST', path: address.href, headers, body: Buffer.from(body.toString()) };
    }
    for (const [name, value] of asked) address.searchParams.append(name, value);
    return { method: 'GET', path: address.href, headers: authorization(credentials) };
  }
}

function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined; // not the answer of a token service; told by whoever asked
  }
}
