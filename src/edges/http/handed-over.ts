import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';

/**
 * The other end of `hand-over.ts`: requests that other processes of this server were asked, answered as if they had come
 * here, from where they came. The socket is in the data folder, where nobody else gets to.
 */
export const callerHeader = 'x-lazaret-caller';

export interface HandedCaller {
  readonly address: string;
  readonly encrypted: boolean;
  /** Against the rate, before it turned out that the other process has to answer. */
  readonly counted: boolean;
}

/** In place of `connection: close`, which would end the connection under a body that still comes, and the answer with it. */
export const closeHeader = 'x-lazaret-close';

const handed = new WeakSet<IncomingMessage>();

/** The header of an answer after which the client's connection is closed. */
export function endsConnection(request: IncomingMessage): readonly [string, string] {
  return handed.has(request) ? [closeHeader, 'yes'] : ['connection', 'close'];
}

const counted = new WeakSet<IncomingMessage>();

/** Whether another process has counted the request against its caller's rate. */
export function countedBefore(request: IncomingMessage): boolean {
  return counted.has(request);
}

/** What a client may send, and what is added on the way. */
const headerBytesMax = 32 * 1024;

export function handedOverServer(answer: RequestListener): Server {
  // Patience and impatience with clients are at work on both sides of this connection; between two processes none is needed.
  const patient = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  return createServer({ ...patient, maxHeaderSize: headerBytesMax }, (request, response) => {
    comesFrom(request);
    answer(request, response);
  });
}

/** One connection carries requests of many clients, one after another: it passes for each of theirs in turn. */
function comesFrom(request: IncomingMessage): void {
  const { headers, socket } = request;
  const caller: HandedCaller = JSON.parse(String(headers[callerHeader]));
  handed.add(request);
  if (caller.counted) counted.add(request);
  delete headers[callerHeader];
  Object.defineProperties(socket, {
    remoteAddress: { value: caller.address, configurable: true },
    encrypted: { value: caller.encrypted, configurable: true },
  });
}
