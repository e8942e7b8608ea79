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
type Get = (
  address: string,
  headers: Headers,
  signal: AbortSignal | undefined,
) => Promise<Dispatcher.ResponseData>;

/** A token that is younger than this is not used any more when it is about to end. */
const marginMs = 10_000;
/** Of a token whose issuer does not say ("Token Authentication Specification"). */
const lifeDefaultMs = 60_000;

/** What a registry wants to see of its caller, asked for once and kept: distribution's token protocol, or Basic. */
export class RegistryTokens {
  readonly #access: RegistryAccess;
  readonly #get: Get;
  readonly #kept = new Map<string, { readonly token: string; readonly untilMs: number }>();
  #challenge: Promise<Challenge | undefined> | undefined;

  constructor(access: RegistryAccess, get: Get) {
    this.#access = access;
    this.#get = get;
  }

  /** @throws unauthorized; unavailable */
  async headers(scopes: readonly string[], signal: AbortSignal | undefined): Promise<Headers> {
    if (this.#access.credentials?.kind === 'bearer') return authorization(this.#access.credentials);
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
    if (challenge === undefined || this.#access.credentials?.kind === 'bearer') return undefined;
    const known = await this.#challenge;
    if (challenge.kind === 'basic' && known?.kind === 'basic') return undefined; // the password was tried
    this.#challenge = Promise.resolve(challenge);
    this.#kept.delete(scopes.join(' '));
    return this.#answerTo(challenge, scopes, signal);
  }

  async #asked(signal: AbortSignal | undefined): Promise<Challenge | undefined> {
    const response = await this.#get(`${this.#access.url}/v2/`, {}, signal);
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
    if (service !== undefined) address.searchParams.set('service', service);
    for (const scope of scopes) address.searchParams.append('scope', scope);
    const response = await this.#get(address.href, authorization(this.#access.credentials), signal);
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
