/**
 * The way out of the server: what is fetched for somebody never reaches an address that only this machine's network
 * knows, unless that was configured. The address is checked where the connection is made, so neither a name that resolves
 * to a private address nor a redirection to one gets by.
 */
import { lookup as lookupName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Dispatcher } from 'undici';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';

export type GuardedFetch = (url: string, options?: FetchOptions) => Promise<Fetched>;

export interface FetchOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Fetched {
  /** 200 or 304. */
  readonly status: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Must be read to its end, or ended by `break`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Of special purpose, by the registries of IANA: loopback, private, link-local, shared, documentation, multicast. */
const privateRanges = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const;

/** @param allowed addresses and ranges that may be reached although they are private */
export function addressGuard(allowed: readonly string[]): (address: string) => boolean {
  const forbidden = new BlockList();
  for (const [address, bits] of privateRanges) forbidden.addSubnet(address, bits, familyOf(address));
  const exceptions = new BlockList();
  for (const range of allowed) {
    const [address = '', bits] = range.split('/');
    exceptions.addSubnet(
      address,
      bits === undefined ? (isIP(address) === 6 ? 128 : 32) : Number(bits),
      familyOf(address),
    );
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
    const family = familyOf(plain);
    return exceptions.check(plain, family) || !forbidden.check(plain, family);
  };
}

/** @throws unavailable: no answer, a refused address, or another status than 200 and 304 */
export function guardedFetch({ allowed }: { readonly allowed: readonly string[] }): GuardedFetch {
  const mayReach = addressGuard(allowed);
  let dispatcher: Promise<Dispatcher> | undefined;
  return async (url, { headers = {}, signal } = {}) => {
    const { request } = await import('undici');
    dispatcher ??= openDispatcher(mayReach);
    try {
      const response = await request(url, {
        dispatcher: await dispatcher,
        headers,
        headersTimeout: limits.fetchSilenceMs,
        bodyTimeout: limits.fetchSilenceMs,
        ...(signal ? { signal } : {}),
      });
      const { statusCode: status } = response;
      if (status !== 200 && status !== 304) {
        await response.body.dump();
        throw new LazaretError('unavailable', `${url} answered ${status}`, { detail: { status } });
      }
      const text = (name: string) =>
        typeof response.headers[name] === 'string' ? response.headers[name] : null;
      return { status, etag: text('etag'), lastModified: text('last-modified'), body: response.body };
    } catch (cause) {
      if (cause instanceof LazaretError || signal?.aborted) throw cause;
      throw new LazaretError('unavailable', `${url} can't be fetched`, { cause });
    }
  };
}

async function openDispatcher(mayReach: (address: string) => boolean): Promise<Dispatcher> {
  const { Agent, buildConnector, interceptors } = await import('undici');
  const connect = buildConnector({ timeout: limits.fetchConnectMs, lookup: guardedLookup(mayReach) });
  const agent = new Agent({
    connect: (options, done) => {
      // A literal address is looked up by nobody.
      const host = options.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && !mayReach(host)) return done(refused(host), null);
      return connect(options, done);
    },
  });
  return agent.compose(interceptors.redirect({ maxRedirections: limits.fetchRedirectionsMax }));
}

function guardedLookup(mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    lookupName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const reachable = addresses.filter(({ address }) => mayReach(address));
      const [first] = reachable;
      if (first === undefined) return done(refused(hostname), []);
      return options.all ? done(null, reachable) : done(null, first.address, first.family);
    });
  };
}

function refused(host: string): LazaretError {
  return new LazaretError('denied', `${host} is a private address; name it in outbound.private to allow it`);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
