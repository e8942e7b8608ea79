import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';

/**
 * The other end of `hand-over.ts`: requests that other processes of this server were asked, answered as if they had come
 * here, from where they came. The socket is in the data folder, where nobody else gets to.
 */
export const callerHeader = 'x-lazaret-caller';

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
function comesFrom({ headers, socket }: IncomingMessage): void {
  const caller: { address: string; encrypted: boolean } = JSON.parse(String(headers[callerHeader]));
  delete headers[callerHeader];
  Object.defineProperties(socket, {
    remoteAddress: { value: caller.address, configurable: true },
    encrypted: { value: caller.encrypted, configurable: true },
  });
}
