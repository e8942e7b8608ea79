import { createHmac } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { randomSecret } from '../../lib/random.ts';
import { anonymous, type Caller } from '../../records/access/caller.ts';
import {
  callerOf,
  type Principal,
  principalByName,
  principalByUid,
} from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { secretMatches } from './secrets.ts';
import { type TokenScope, tokenVerified } from './tokens.ts';

/**
 * From an Authorization header to a caller. Principal and roles are read from their rows in each request, so that what
 * is disabled or taken away ends at once, also for tokens that are still valid.
 *
 * argon2 costs some 20 ms and 19 MiB, and docker sends the same password with every request. So that a password fits a
 * stored hash is remembered for a minute, under a keyed hash of both: a new password is never hidden by an old answer.
 */
export interface Authenticated {
  readonly caller: Caller;
  /** What a token was asked for; null: no token, the caller's roles alone decide. */
  readonly scopes: readonly TokenScope[] | null;
}

export interface Authenticator {
  /** @throws unauthorized for credentials that are wrong; without any the caller is anonymous. */
  readonly authenticate: (header: string | undefined) => Promise<Authenticated>;
}

export interface AuthenticatorOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** The `service` that tokens are for. */
  readonly service: string;
  /** What everyone may pull. */
  readonly anonymousPull: readonly string[];
}

const rememberMs = 60_000;
const rememberMax = 10_000;

export function openAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { database, clock } = options;
  const key = randomSecret();
  const verifiedUntil = new Map<string, number>();
  const nobody = anonymousCaller(options.anonymousPull);

  const fits = async (secret: string, principal: Principal) => {
    const proof = createHmac('sha256', key).update(`${principal.secretHash}\n${secret}`).digest('base64');
    if ((verifiedUntil.get(proof) ?? 0) > clock.bootMs()) return true;
    verifiedUntil.delete(proof);
    if (!(await secretMatches(secret, principal.secretHash))) return false;
    if (verifiedUntil.size >= rememberMax) verifiedUntil.clear();
    verifiedUntil.set(proof, clock.bootMs() + rememberMs);
    return true;
  };

  const bySecret = async (principal: Principal | undefined, secret: string): Promise<Authenticated> => {
    // Someone unknown costs as much time as someone known, so that names can't be guessed by it.
    if (!principal) await secretMatches(secret, hashOfNothing);
    if (!principal || !(await fits(secret, principal)) || principal.disabled) throw wrongCredentials();
    return { caller: await callerOf(database.read, principal), scopes: null };
  };

  const byToken = async (token: string): Promise<Authenticated> => {
    const claims = await tokenVerified({ database, clock }, token, options.service);
    if (claims.principal === nobody.principal) return { caller: nobody, scopes: claims.scopes };
    const principal = await principalByName(database.read, claims.principal);
    if (!principal || principal.disabled) throw wrongCredentials();
    return { caller: await callerOf(database.read, principal), scopes: claims.scopes };
  };

  return {
    authenticate: async (header) => {
      if (header === undefined) return { caller: nobody, scopes: null };
      const credentials = parseAuthorization(header);
      if (credentials.kind === 'token') return byToken(credentials.token);
      const { read } = database;
      return credentials.kind === 'basic'
        ? bySecret(await principalByName(read, credentials.name), credentials.secret)
        : bySecret(await principalByUid(read, credentials.uid), credentials.secret);
    },
  };
}

type Authorization =
  | { readonly kind: 'basic'; readonly name: string; readonly secret: string }
  | { readonly kind: 'opaque'; readonly uid: string; readonly secret: string }
  | { readonly kind: 'token'; readonly token: string };

/** `Basic name:password`, `Bearer uid.secret` of regions and instances, `Bearer` and a token of ours. @throws unauthorized */
function parseAuthorization(header: string): Authorization {
  const [scheme = '', value = ''] = header.split(/ +/, 2);
  if (scheme.toLowerCase() === 'basic') {
    const pair = Buffer.from(value, 'base64').toString();
    const colon = pair.indexOf(':');
    if (colon > 0) return { kind: 'basic', name: pair.slice(0, colon), secret: pair.slice(colon + 1) };
  }
  if (scheme.toLowerCase() === 'bearer') {
    const parts = value.split('.');
    if (parts.length === 3) return { kind: 'token', token: value };
    const [uid, secret] = parts;
    if (parts.length === 2 && uid && secret) return { kind: 'opaque', uid, secret };
  }
  throw wrongCredentials();
}

function wrongCredentials(): LazaretError {
  return new LazaretError('unauthorized', 'the user name or password is wrong, or it is disabled');
}

function anonymousCaller(anonymousPull: readonly string[]): Caller {
  const bindings = anonymousPull.map((glob) => ({
    role: 'reader' as const,
    account: null,
    repositoryGlob: glob,
  }));
  return { ...anonymous, bindings };
}

/** argon2id of a random value at the usual cost. */
const hashOfNothing =
  '$argon2id$v=19$m=19456,t=2,p=1$t6VLYbUv/q1PPvg0p6LNoA$bw5G0P4qjZnz1xlIeJlM1xHf8Kh5XIhtCRI/QaNrZxk';
