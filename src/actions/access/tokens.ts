import type { CryptoKey, JWTPayload } from 'jose';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { randomKey } from '../../lib/random.ts';
import { type SigningKey, signingKeyByKid } from '../../records/access/signing-keys.ts';
import { currentKey, type KeyDeps } from './signing-keys.ts';

/**
 * Tokens of the distribution token protocol, EdDSA JWTs of two uses. An *access* token lives five minutes and names who
 * asked and for what. An *identity* token (the protocol's refresh token) is what `docker login` may keep in place of the
 * password; it is good for as much, for 90 days. Neither carries a right: each request decides from the rows, within the
 * scopes that an access token names. Both are bound to the principal's uid and security version, so that they end with
 * the secret that they were given for, and nobody inherits them with a name.
 */
export interface TokenScope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenSubject {
  readonly principal: string;
  /** null: anonymous. */
  readonly uid: string | null;
  readonly securityVersion: number;
}

export interface TokenClaims extends TokenSubject {
  readonly use: 'access' | 'identity';
  readonly scopes: readonly TokenScope[];
}

/** What a token says whose signature was good. */
export interface VerifiedToken extends TokenClaims {
  /** The key that it was signed with. */
  readonly kid: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

export const tokenLifeMs = limits.accessTokenMs;
const issuer = 'lazaret';

export async function tokenIssued(deps: KeyDeps, claims: TokenClaims, service: string): Promise<string> {
  const { SignJWT } = await import('jose');
  const key = await currentKey(deps);
  const issuedAt = Math.floor(deps.clock.wallMs() / 1000);
  const lifeMs = claims.use === 'access' ? limits.accessTokenMs : limits.identityTokenMs;
  const { use, uid, securityVersion: version } = claims;
  return new SignJWT({ access: claims.scopes, use, uid, version })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
    .setSubject(claims.principal)
    .setIssuer(issuer)
    .setAudience(service)
    .setJti(randomKey())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt - 10)
    .setExpirationTime(issuedAt + lifeMs / 1000)
    .sign(await imported(key, 'privateJwk'));
}

/** @throws unauthorized */
export async function tokenVerified(deps: KeyDeps, token: string, service: string): Promise<VerifiedToken> {
  const { jwtVerify } = await import('jose');
  try {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      async (header) => {
        const key = await signingKeyByKid(deps.database.read, header.kid ?? '');
        if (!key) throw new LazaretError('unauthorized', 'the token was signed by an unknown key');
        return imported(key, 'publicJwk');
      },
      {
        issuer,
        audience: service,
        algorithms: ['EdDSA'],
        requiredClaims: ['exp'],
        currentDate: new Date(deps.clock.wallMs()),
      },
    );
    const { kid = '' } = protectedHeader;
    return { ...claimsOf(payload), kid, expiresAtMs: (payload.exp ?? 0) * 1000 };
  } catch (cause) {
    throw new LazaretError('unauthorized', 'the token is not valid any more', { cause });
  }
}

const scopesMax = 100;

/**
 * `repository:acme/shop:pull,push`, as a client asks for it; several may come in one text. A malformed one is left out.
 * @throws invalid for more scopes than any client has use for
 */
export function parseScopes(texts: readonly string[]): TokenScope[] {
  const words = texts.flatMap((text) => text.split(' ')).filter((word) => word !== '');
  if (words.length > scopesMax)
    throw new LazaretError('invalid', `a token has at most ${scopesMax} scopes`, {
      detail: { path: 'scope' },
    });
  const scopes = new Map<string, TokenScope>();
  for (const word of words) {
    const [, type, name, list] = /^([a-z0-9]+(?:\([a-z0-9]+\))?):(.+):([a-z*,]*)$/.exec(word) ?? [];
    if (type === undefined || name === undefined || list === undefined) continue;
    const key = `${type}:${name}`;
    const actions = [...(scopes.get(key)?.actions ?? []), ...list.split(',').filter((one) => one !== '')];
    scopes.set(key, { type, name, actions: [...new Set(actions)] });
  }
  return [...scopes.values()];
}

function claimsOf({ sub, uid, use, version, access }: JWTPayload): TokenClaims {
  return {
    principal: sub ?? '',
    uid: typeof uid === 'string' ? uid : null,
    securityVersion: typeof version === 'number' ? version : 0,
    use: use === 'identity' ? 'identity' : 'access',
    scopes: scopesOf(access),
  };
}

function scopesOf(access: unknown): TokenScope[] {
  if (!Array.isArray(access)) return [];
  return access.map((scope: { type?: unknown; name?: unknown; actions?: unknown }) => ({
    type: String(scope.type),
    name: String(scope.name),
    actions: Array.isArray(scope.actions) ? scope.actions.map(String) : [],
  }));
}

const importedMax = 100;
/** A key is imported once. Whether it still counts is read from its row each time. */
const importedKeys = new Map<string, Promise<CryptoKey | Uint8Array>>();

async function imported(key: SigningKey, half: 'privateJwk' | 'publicJwk'): Promise<CryptoKey | Uint8Array> {
  const jwk = key[half];
  const known = importedKeys.get(jwk);
  if (known) return known;
  const { importJWK } = await import('jose');
  if (importedKeys.size >= importedMax) importedKeys.clear();
  const fresh = importJWK(JSON.parse(jwk), 'EdDSA');
  importedKeys.set(jwk, fresh);
  return fresh;
}
