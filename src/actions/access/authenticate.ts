import { createHmac, hash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { networkOf } from '../../lib/network.ts';
import { randomSecret } from '../../lib/random.ts';
import { Slots } from '../../lib/slots.ts';
import { defaultAccount } from '../../oci/reference.ts';
import { accountsOpen } from '../../records/access/accounts.ts';
import { anonymous, type Caller, type RoleBinding } from '../../records/access/caller.ts';
import {
  callerOf,
  type Principal,
  principalByName,
  principalByUid,
} from '../../records/access/principals.ts';
import type { Database } from '../../records/db/database.ts';
import { AnswersAtHead } from '../../records/log/answers-at-head.ts';
import { KnownTokens } from './known-tokens.ts';
import { LoginBrake } from './login-brake.ts';
import { secretMatches } from './secrets.ts';
import type { TokenScope, TokenSubject } from './tokens.ts';

/**
 * From an Authorization header to a caller. Principal and roles are those of the moment of each request, so that what is
 * disabled or taken away ends at once, also for tokens that are still valid. Who a token stands for is remembered for as
 * long as the log stands still (`AnswersAtHead`) and neither token nor principal has ended.
 *
 * argon2 costs some 20 ms and 19 MiB, and docker sends the same password with every request. So that a password fits a
 * stored hash is remembered for a minute, under a keyed hash of both: a new password is never hidden by an old answer.
 * What is not remembered passes the brake on guessing first.
 */
export interface Authenticated {
  readonly caller: Caller;
  /** How the caller was known. */
  readonly by: 'nothing' | 'secret' | 'identityToken' | 'accessToken';
  /** What an access token was asked for; null: no such token, the caller's roles alone decide. */
  readonly scopes: readonly TokenScope[] | null;
  /** What a token for the caller is bound to. */
  readonly subject: TokenSubject;
}

export interface Authenticator {
  /**
   * @param address where the request comes from: wrong passwords are counted per name and address
   * @param head the log's head, if it was read in this request already
   * @throws unauthorized for credentials that are wrong (without any the caller is anonymous); tooManyRequests
   */
  readonly authenticate: (
    header: string | undefined,
    address?: string,
    head?: number,
  ) => Promise<Authenticated>;
}

export interface AuthenticatorOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** The `service` that tokens are for. */
  readonly service: string;
  /** What everyone may pull. */
  readonly anonymousPull: readonly string[];
  /** Default: looked at, remembered and braked in this process. */
  readonly secretFits?: SecretCheck;
}

export function openAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { database, clock } = options;
  const fits = options.secretFits ?? secretsChecked(clock);

  const bySecret = async (principal: Principal | undefined, given: GivenSecret): Promise<Authenticated> => {
    // Someone unknown costs as much time as someone known, so that names can't be guessed by it.
    if (!(await fits(principal?.secretHash ?? hashOfNothing, given)) || !principal) throw wrongCredentials();
    return authenticated(principal, 'secret', null);
  };

  const tokens = new KnownTokens(options);
  const remembered = rememberedCallers(clock);

  const byToken = (token: string, head: number): Promise<Authenticated> => {
    const proof = hash('sha256', token, 'base64');
    return remembered(head, proof, () => tokenCaller(token, proof));
  };

  const tokenCaller = async (token: string, proof: string): Promise<Ending<Authenticated>> => {
    const { uid, securityVersion, use, scopes, expiresAtMs } = await tokens.verified(token, proof);
    if (uid === null)
      return { value: { ...(await nobody()), by: 'accessToken', scopes }, endsAtMs: expiresAtMs };
    const principal = await principalByUid(database.read, uid);
    if (principal?.securityVersion !== securityVersion) throw wrongCredentials();
    const value = await (use === 'identity'
      ? authenticated(principal, 'identityToken', null)
      : authenticated(principal, 'accessToken', scopes));
    return { value, endsAtMs: Math.min(expiresAtMs, principal.expiresAt ?? Infinity) };
  };

  const authenticated = async (
    principal: Principal,
    by: Authenticated['by'],
    scopes: Authenticated['scopes'],
  ): Promise<Authenticated> => {
    const ended = principal.expiresAt !== null && principal.expiresAt <= clock.wallMs();
    if (principal.disabled || ended) throw wrongCredentials();
    const caller = await callerOf(database.read, principal);
    const { name, uid, securityVersion } = principal;
    const subject = { principal: name, uid, securityVersion };
    return { caller: withOpen(caller, await openToAll()), by, scopes, subject };
  };

  const openToAll = async () => openBindings(options.anonymousPull, await accountsOpen(database.read));

  const nobody = async (): Promise<Authenticated> => {
    const subject = { principal: anonymous.principal, uid: null, securityVersion: 0 };
    return { caller: withOpen(anonymous, await openToAll()), by: 'nothing', scopes: null, subject };
  };

  return {
    authenticate: async (header, address = '', known) => {
      const head = known ?? (await database.logHead());
      if (header === undefined)
        return remembered(head, '', async () => ({ value: await nobody(), endsAtMs: Infinity }));
      const credentials = parseAuthorization(header);
      if (credentials.kind === 'token') return byToken(credentials.token, head);
      const { read } = database;
      const { name, secret } = credentials;
      const principal = await (credentials.kind === 'basic' ? principalByName : principalByUid)(read, name);
      return bySecret(principal, { name, secret, address: networkOf(address) });
    },
  };
}

/** @returns who was found under the key at this head, or whom `find` finds now */
function rememberedCallers(clock: Clock) {
  const callers = new AnswersAtHead<Ending<Authenticated>>({ entries: limits.callersRememberedMax });
  return async (head: number, key: string, find: () => Promise<Ending<Authenticated>>) => {
    const known = callers.get(head, key);
    if (known && clock.wallMs() < known.endsAtMs) return known.value;
    const found = await find();
    callers.keep(head, key, found);
    return found.value;
  };
}

interface Ending<T> {
  readonly value: T;
  /** Milliseconds since 1970: by the clock, whatever the log says. */
  readonly endsAtMs: number;
}

type Authorization =
  | { readonly kind: 'basic' | 'opaque'; readonly name: string; readonly secret: string }
  | { readonly kind: 'token'; readonly token: string };

/** `Basic name:password`, `Bearer uid.secret` of regions and instances, `Bearer` and a token of ours. @throws unauthorized */
function parseAuthorization(header: string): Authorization {
  const [scheme = '', value = ''] = header.split(/ +/, 2);
  if (scheme.toLowerCase() === 'basic') {
    const pair = Buffer.from(value, 'base64').toString();
    const colon = pair.indexOf(':');
    // No name has a NUL, which PostgreSQL would not even look for.
    if (colon > 0 && !pair.includes('\0'))
      return { kind: 'basic', name: pair.slice(0, colon), secret: pair.slice(colon + 1) };
  }
  if (scheme.toLowerCase() === 'bearer') {
    const parts = value.split('.');
    if (parts.length === 3) return { kind: 'token', token: value };
    const [name, secret] = parts;
    if (parts.length === 2 && name && secret) return { kind: 'opaque', name, secret };
  }
  throw wrongCredentials();
}

function wrongCredentials(): LazaretError {
  return new LazaretError('unauthorized', 'the user name or password is wrong, or it is disabled');
}

/** Whether a secret fits a hash. @throws tooManyRequests */
export type SecretCheck = (hash: string, given: GivenSecret) => Promise<boolean>;

export interface GivenSecret {
  readonly name: string;
  readonly secret: string;
  readonly address: string;
}

/**
 * Whether a secret fits a hash. What is asked again while it is looked at is looked at, and counted, once: clients send
 * many requests at the same time. Few are looked at at once, since hashing takes the threads that files are read with.
 * @throws tooManyRequests
 */
export function secretsChecked(clock: Clock): SecretCheck {
  const brake = new LoginBrake(clock);
  const key = randomSecret();
  const fitUntil = new Map<string, number>();
  const running = new Map<string, Promise<boolean>>();

  const slots = new Slots({
    atOnce: limits.passwordChecksAtOnce,
    waitingMax: limits.passwordChecksWaitingMax,
  });

  const check = async (hash: string, { name, secret, address }: GivenSecret, proof: string) => {
    brake.begin({ name, address });
    if (!(await secretMatches(secret, hash))) return false;
    brake.succeeded({ name, address });
    if (fitUntil.size >= limits.passwordsRememberedMax) fitUntil.clear();
    fitUntil.set(proof, clock.bootMs() + limits.passwordRememberMs);
    return true;
  };

  return (hash, given) => {
    const text = JSON.stringify([hash, given.name, given.secret]);
    const proof = createHmac('sha256', key).update(text).digest('base64');
    if ((fitUntil.get(proof) ?? 0) > clock.bootMs()) return Promise.resolve(true);
    fitUntil.delete(proof);
    const known = running.get(proof);
    if (known) return known;
    if (slots.full)
      throw new LazaretError('tooManyRequests', 'too many log in at this moment; try again soon', {
        detail: { retryAfterS: 1 },
      });
    const fresh = slots.run(() => check(hash, given, proof)).finally(() => running.delete(proof));
    running.set(proof, fresh);
    return fresh;
  };
}

/** What is open to everyone, as bindings over globs: they let pull, and show nothing of an account as a whole. */
function openBindings(globs: readonly string[], accounts: readonly string[]): RoleBinding[] {
  const ofAccount = (name: string) => (name === defaultAccount ? ['*', `${name}/**`] : [`${name}/**`]);
  return [...globs, ...accounts.flatMap(ofAccount)].map((repositoryGlob) => ({
    role: 'reader',
    account: null,
    repositoryGlob,
  }));
}

function withOpen(caller: Caller, open: readonly RoleBinding[]): Caller {
  return open.length === 0 ? caller : { ...caller, bindings: [...caller.bindings, ...open] };
}

/** argon2id of a random value at the usual cost. */
const hashOfNothing =
  '$argon2id$v=19$m=19456,t=2,p=1$t6VLYbUv/q1PPvg0p6LNoA$bw5G0P4qjZnz1xlIeJlM1xHf8Kh5XIhtCRI/QaNrZxk';
