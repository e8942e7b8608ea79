import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/**
 * `refuse`: 503 SlowDown · `full`: 507 · `reset`: the connection is cut before the request is passed on · `lost`: it is
 * passed on, and the connection is cut instead of the answer · `cut`: the answer's body ends in its middle.
 */
export type ProxyFault = 'refuse' | 'full' | 'reset' | 'lost' | 'cut';

export interface FaultyProxy {
  readonly url: string;
  /** The next `times` requests that match `METHOD /path?query` go wrong. */
  readonly fail: (fault: ProxyFault, matching: RegExp, times?: number) => void;
  readonly heal: () => void;
  /** `METHOD /path?query` of each request, in order. */
  readonly seen: readonly string[];
  readonly close: () => Promise<void>;
}

/** Stands between a client and an HTTP server, and passes everything on unless told otherwise. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let faults: { fault: ProxyFault; matching: RegExp; left: number }[] = [];
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    seen.push(line);
    const due = faults.find(({ matching, left }) => left > 0 && matching.test(line));
    if (due) due.left -= 1;
    serve(incoming, outgoing, target, due?.fault);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    fail: (fault, matching, times = 1) => {
      faults.push({ fault, matching, left: times });
    },
    heal: () => {
      faults = [];
    },
    seen,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  fault: ProxyFault | undefined,
): void {
  if (fault === 'reset') return void incoming.socket.destroy();
  if (fault === 'refuse' || fault === 'full') {
    incoming.resume();
    const [status, code] = fault === 'full' ? [507, 'InsufficientStorage'] : [503, 'SlowDown'];
    outgoing.writeHead(status, { 'content-type': 'application/xml' });
    return void outgoing.end(`<Error><Code>${code}</Code><Message>injected</Message></Error>`);
  }
  const { method, headers, url } = incoming;
  const onward = request(new URL(url ?? '/', target), { ...(method && { method }), headers });
  onward.on('response', (answer) => {
    if (fault === 'lost') {
      answer.resume();
      return void incoming.socket.destroy();
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    if (fault !== 'cut') return void answer.pipe(outgoing);
    answer.once('data', (chunk: Buffer) => {
      outgoing.write(chunk.subarray(0, chunk.byteLength >> 1), () => incoming.socket.destroy());
      answer.destroy();
    });
  });
  onward.on('error', () => incoming.socket.destroy());
  incoming.pipe(onward);
}
