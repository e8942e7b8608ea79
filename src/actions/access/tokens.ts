import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { randomKey } from '../../lib/random.ts';
import { signingKeyAdd, signingKeyByKid, signingKeyNewest } from '../../records/access/signing-keys.ts';
import type { Database } from '../../records/db/database.ts';

/**
 * Tokens of the distribution token protocol: EdDSA JWTs that live five minutes and name who asked and for what. They
 * carry no right: each request decides from the rows, within the scopes that the token names.
 */
export interface TokenScope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenClaims {
  readonly principal: string;
  readonly scopes: readonly TokenScope[];
}

export interface TokenDeps {
  readonly database: Database;
  readonly clock: Clock;
}

export const tokenLifeMs = 5 * 60_000;
/** A key signs for a month; older ones still verify what they signed. */
const keyLifeMs = 30 * 24 * 3_600_000;
const issuer = 'lazaret';

export async function tokenIssued(deps: TokenDeps, claims: TokenClaims, service: string): Promise<string> {
  const { SignJWT, importJWK } = await import('jose');
  const key = await currentKey(deps);
  const issuedAt = Math.floor(deps.clock.wallMs() / 1000);
  return new SignJWT({ access: claims.scopes })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
    .setSubject(claims.principal)
    .setIssuer(issuer)
    .setAudience(service)
    .setJti(randomKey())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt - 10)
    .setExpirationTime(issuedAt + tokenLifeMs / 1000)
    .sign(await importJWK(JSON.parse(key.privateJwk), 'EdDSA'));
}

/** @throws unauthorized */
export async function tokenVerified(deps: TokenDeps, token: string, service: string): Promise<TokenClaims> {
  const { jwtVerify, importJWK } = await import('jose');
  try {
    const { payload } = await jwtVerify(
      token,
      async (header) => {
        const key = await signingKeyByKid(deps.database.read, header.kid ?? '');
        if (!key) throw new LazaretError('unauthorized', 'the token was signed by an unknown key');
        return importJWK(JSON.parse(key.publicJwk), 'EdDSA');
      },
      { issuer, audience: service, algorithms: ['EdDSA'], currentDate: new Date(deps.clock.wallMs()) },
    );
    return { principal: payload.sub ?? '', scopes: scopesOf(payload.access) };
  } catch (cause) {
    throw new LazaretError('unauthorized', 'the token is not valid any more', { cause });
  }
}

/** `repository:acme/shop:pull,push`, as a client asks for it; several may come in one text. A malformed one is left out. */
export function parseScopes(texts: readonly string[]): TokenScope[] {
  return texts
    .flatMap((text) => text.split(' '))
    .flatMap((text) => {
      const [, type, name, actions] = /^([a-z0-9]+(?:\([a-z0-9]+\))?):(.+):([a-z*,]*)$/.exec(text) ?? [];
      if (type === undefined || name === undefined || actions === undefined) return [];
      return [{ type, name, actions: actions.split(',').filter((action) => action !== '') }];
    });
}

function scopesOf(access: unknown): TokenScope[] {
  if (!Array.isArray(access)) return [];
  return access.map((scope: { type?: unknown; name?: unknown; actions?: unknown }) => ({
    type: String(scope.type),
    name: String(scope.name),
    actions: Array.isArray(scope.actions) ? scope.actions.map(String) : [],
  }));
}

async function currentKey(deps: TokenDeps) {
  const newest = await signingKeyNewest(deps.database.read);
  if (newest && newest.createdAt > deps.clock.wallMs() - keyLifeMs) return newest;
  const { exportJWK, generateKeyPair } = await import('jose');
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  const key = {
    kid: randomKey(),
    privateJwk: JSON.stringify(await exportJWK(pair.privateKey)),
    publicJwk: JSON.stringify(await exportJWK(pair.publicKey)),
    createdAt: deps.clock.wallMs(),
  };
  await deps.database.transact((tx) => signingKeyAdd(tx, key));
  return key;
}
