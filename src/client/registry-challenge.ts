import { LazaretError } from '../lib/errors.ts';

/** What a registry asks of a caller whom it doesn't know yet (RFC 9110, 11.6.1; RFC 6750; distribution's token protocol). */
export type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string | undefined };

const piece = /([A-Za-z][\w-]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?[\s,]*/y;

/** The one to follow among those that `WWW-Authenticate` offers: tokens rather than the password. */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  const offered = schemes(text);
  const realm = offered.get('bearer')?.get('realm');
  if (realm !== undefined) return { kind: 'bearer', realm, service: offered.get('bearer')?.get('service') };
  return offered.has('basic') ? { kind: 'basic' } : undefined;
}

/**
 * Where tokens are had. A registry behind TLS can't have the password sent in the clear.
 * @param url of the registry
 * @throws unavailable
 */
export function realmAddress(realm: string, url: string): URL {
  const address = URL.canParse(realm) ? new URL(realm) : undefined;
  const secure = address?.protocol === 'https:';
  if (address && (secure || (address.protocol === 'http:' && url.startsWith('http:')))) return address;
  throw new LazaretError('unavailable', `${url} sends its callers to '${realm}' for tokens`);
}

/** A word without a value begins a scheme; what has one belongs to the scheme before it. */
function schemes(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  piece.lastIndex = 0;
  for (let match = piece.exec(text); match !== null; match = piece.exec(text)) {
    const [, word = '', quoted, plain] = match;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) {
      current = new Map();
      found.set(word.toLowerCase(), current);
    } else current.set(word.toLowerCase(), value);
  }
  return found;
}
