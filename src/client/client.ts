import { Readable } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import type { Dispatcher } from 'undici';
import { checked } from '../contract/check.ts';
import { errorOfBody } from '../contract/errors.ts';
import type { Frozen, Route } from '../contract/route.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { collect } from '../lib/streams.ts';

export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An instance's or region's `<uid>.<secret>`, or a token. */
  | { readonly kind: 'bearer'; readonly token: string };

/** Where a server is and who calls it. It holds no connection that would keep a process alive: nothing needs closing. */
export interface Client {
  /** `http://localhost:5000`, without a path. */
  readonly url: string;
  readonly credentials?: Credentials | undefined;
  /** The certificates, PEM, that its server's must be signed by; without: those that Node knows. */
  readonly ca?: string | undefined;
  /** For an answer to begin, and between two pieces of it. Default 30 s; a server of lines says something every 10 s. */
  readonly timeoutMs?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The body of a route with `streamedBody`. */
  readonly stream?: AsyncIterable<Uint8Array> | undefined;
}

/** `params`, `query` and `body` may be left out where the route has nothing there. */
export interface CallInput<P extends TSchema, Q extends TSchema, B extends TSchema> {
  readonly params?: Frozen<Static<P>>;
  readonly query?: Frozen<Static<Q>>;
  readonly body?: Frozen<Static<B>>;
}

export interface ByteResponse {
  readonly contentType: string;
  readonly sizeBytes: number | undefined;
  /** Must be read to its end or ended by `break`. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * Calls a route that answers JSON. Input is not checked here but by the server.
 * @throws whatever the server answered, with our code; unavailable when it can't be reached or does not speak our protocol
 */
export async function call<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  client: Client,
  route: Route<P, Q, B, R, 'json'>,
  input: CallInput<P, Q, B> = {},
  options: CallOptions = {},
): Promise<Static<R>> {
  const response = await send(client, route, input, options);
  const text = await answered(client, async () =>
    (await collect(response.body, limits.clientAnswerBytesMax)).toString(),
  );
  return answerOf(route.response, parsed(client, text), client);
}

/** Calls a route that answers lines; they end when the server ends them, `signal` aborts or the reader stops. */
export async function* callLines<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  client: Client,
  route: Route<P, Q, B, R, 'lines'>,
  input: CallInput<P, Q, B> = {},
  options: CallOptions = {},
): AsyncGenerator<Static<R>> {
  const response = await send(client, route, input, options);
  for await (const line of linesOf(client, response.body)) {
    const value = parsed(client, line);
    if (isErrorLine(value)) throw errorOfBody(500, value);
    yield await answerOf(route.response, value, client);
  }
}

/** Calls a route that answers bytes. */
export async function callBytes<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  client: Client,
  route: Route<P, Q, B, R, 'bytes'>,
  input: CallInput<P, Q, B> = {},
  options: CallOptions = {},
): Promise<ByteResponse> {
  const { headers, body } = await send(client, route, input, options);
  const length = headers['content-length'];
  return {
    contentType: String(headers['content-type'] ?? 'application/octet-stream'),
    sizeBytes: length === undefined ? undefined : Number(length),
    stream: body,
  };
}

const timeoutDefaultMs = 30_000;

async function send<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  client: Client,
  route: Route<P, Q, B, R>,
  input: CallInput<P, Q, B>,
  options: CallOptions,
): Promise<Dispatcher.ResponseData> {
  const { request } = await import('undici');
  const timeoutMs = client.timeoutMs ?? timeoutDefaultMs;
  const body = bodyOf(route, input.body, options.stream);
  const trust = await trusting(client);
  const response = await answered(client, () =>
    request(`${client.url}${pathOf(route.path, input.params)}${queryOf(input.query)}`, {
      method: route.method,
      headers: { ...authorization(client.credentials), ...body.headers },
      body: body.content,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...trust,
      ...(options.signal ? { signal: options.signal } : {}),
    }),
  );
  if (response.statusCode < 300) return response;
  const text = await answered(client, async () =>
    (await collect(response.body, limits.apiBodyBytesMax)).toString(),
  );
  throw errorOfBody(response.statusCode, jsonOrUndefined(text));
}

const trustedMax = 100;
/** One per set of certificates, so that connections are used again. */
const agentsOfCa = new Map<string, Dispatcher>();

/** What a request is given so that it trusts the server that the client names. */
export async function trusting({ ca }: Pick<Client, 'ca'>): Promise<{ readonly dispatcher?: Dispatcher }> {
  if (ca === undefined) return {};
  const known = agentsOfCa.get(ca);
  if (known) return { dispatcher: known };
  const { Agent } = await import('undici');
  if (agentsOfCa.size >= trustedMax) agentsOfCa.clear();
  const dispatcher = new Agent({ connect: { ca } });
  agentsOfCa.set(ca, dispatcher);
  return { dispatcher };
}

interface RequestBody {
  readonly headers: Record<string, string>;
  readonly content: string | null | Readable;
}

function bodyOf(
  route: Pick<Route<TSchema, TSchema, TSchema, TSchema>, 'method' | 'streamedBody'>,
  body: unknown,
  stream: AsyncIterable<Uint8Array> | undefined,
): RequestBody {
  if (route.streamedBody)
    return { headers: { 'content-type': 'application/octet-stream' }, content: Readable.from(stream ?? []) };
  if (route.method === 'GET' || body === undefined) return { headers: {}, content: null };
  return { headers: { 'content-type': 'application/json' }, content: JSON.stringify(body) };
}

function pathOf(pattern: string, params: unknown): string {
  const values = new Map(Object.entries(isObject(params) ? params : {}));
  return pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values.get(name) ?? '')));
}

function queryOf(query: unknown): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(isObject(query) ? query : {}))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null) search.append(name, String(each));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

export function authorization(credentials: Credentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  if (credentials.kind === 'bearer') return { authorization: `Bearer ${credentials.token}` };
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

/** Everything that the network can do wrong is one error of ours; an abort by the caller stays what it is. */
async function answered<T>(client: Client, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LazaretError || (cause instanceof Error && cause.name === 'AbortError')) throw cause;
    throw new LazaretError('unavailable', `no answer from ${client.url}${untrusted(cause)}`, { cause });
  }
}

/** What to do about a certificate that is not trusted. */
function untrusted(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const ofCertificate = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/.test(code);
  return ofCertificate ? `: its certificate is not trusted (${code}); name its authority's with --ca` : '';
}

async function* linesOf(client: Client, body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > limits.clientAnswerBytesMax)
        throw new LazaretError('tooLarge', `${client.url} sent a line that is too long`);
      yield* lines.filter((line) => line !== '');
    }
  } catch (cause) {
    if (cause instanceof LazaretError || (cause instanceof Error && cause.name === 'AbortError')) throw cause;
    throw new LazaretError('unavailable', `the connection to ${client.url} broke`, { cause });
  }
  if (rest !== '')
    throw new LazaretError('unavailable', `the connection to ${client.url} ended within a line`);
}

async function answerOf<R extends TSchema>(schema: R, value: unknown, client: Client): Promise<Static<R>> {
  try {
    return await checked(schema, value, { where: 'answer' });
  } catch (cause) {
    throw new LazaretError('unavailable', `${client.url} does not speak the protocol of this version`, {
      cause,
    });
  }
}

function parsed(client: Client, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LazaretError('unavailable', `${client.url} did not answer with JSON`, { cause });
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page; the status says enough
  }
}

/** The last line of a stream that failed after it had begun. */
function isErrorLine(value: unknown): boolean {
  return isObject(value) && Array.isArray(value.errors) && Object.keys(value).length === 1;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
