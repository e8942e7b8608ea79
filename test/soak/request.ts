/** One request of the distribution API, and what every answer must obey: no 5xx, no code that the specification lacks. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from './fleet.ts';
import type { Span } from './quarantines.ts';
import { type Actor, anyServer, violate } from './storm.ts';

export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface Answer extends Span {
  readonly kind: 'answered';
  readonly server: Server;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The first code of an error. */
  readonly code: string | undefined;
}

/** The answer never came, or not to its end. */
export interface Lost extends Span {
  readonly kind: 'lost';
  readonly server: Server;
  /** If it began. */
  readonly status: number | undefined;
  readonly cause: string;
}

/** distribution-spec, "Error Codes". */
const specCodes = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
]);

/** Nobody asks a server that is away as fast as it can. */
const afterLossMs = 200;

/** @param mayBeCut whether the server may end the answer early, as it does under a quarantine */
export async function ask(actor: Actor, line: Ask, mayBeCut = () => false): Promise<Answer | Lost> {
  const { storm } = actor;
  storm.counts.requests += 1;
  const answer = await sent(actor, line);
  const what = `${line.method} ${line.path} of ${answer.server.name}`;
  if (answer.kind === 'lost') {
    if (!storm.fleet.wasAway(answer.server, answer) && !mayBeCut())
      violate(storm, `no answer although the server was there: ${what}: ${answer.cause}`);
    await delay(afterLossMs);
    return answer;
  }
  if (answer.status >= 500)
    violate(storm, `${answer.status} ${what}: ${answer.body.toString().slice(0, 400)}`);
  else if (answer.status >= 400 && line.method !== 'HEAD' && !specCodes.has(answer.code ?? ''))
    violate(storm, `${answer.status} with the code '${answer.code}': ${what}`);
  if (answer.status === 403) storm.counts.refusals += 1;
  return answer;
}

async function sent(actor: Actor, line: Ask): Promise<Answer | Lost> {
  const server = anyServer(actor);
  const startedAt = performance.now();
  let status: number | undefined;
  try {
    const response = await server.pool.request({
      method: line.method,
      path: line.path,
      headers: { authorization: authorizationOf(actor), ...line.headers },
      ...(line.body === undefined ? {} : { body: line.body }),
    });
    status = response.statusCode;
    const body = Buffer.from(await response.body.arrayBuffer());
    const headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
    );
    const code = status >= 400 ? codeOf(body) : undefined;
    return { kind: 'answered', server, status, headers, body, code, startedAt, endedAt: performance.now() };
  } catch (error) {
    const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { kind: 'lost', server, status, cause, startedAt, endedAt: performance.now() };
  }
}

function authorizationOf({ storm }: Actor): string {
  return `Basic ${Buffer.from(`admin:${storm.password}`).toString('base64')}`;
}

function codeOf(body: Buffer): string | undefined {
  try {
    const parsed: { errors?: { code?: string }[] } = JSON.parse(body.toString());
    return parsed.errors?.[0]?.code;
  } catch {
    return undefined;
  }
}
