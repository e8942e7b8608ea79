import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { authorization, type Client } from '../../src/client/client.ts';
import type { Serving } from './serve.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One connection, which is to one process for as long as it lasts. */
export class Connection {
  readonly client: Client;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(client: Client) {
    this.client = client;
  }

  /** `line` is `GET /v2/`. */
  async ask(line: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.begin(line, ask);
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: Buffer.concat(await answer.toArray()),
    };
  }

  async begin(line: string, { headers = {}, body = '' }: Ask = {}): Promise<IncomingMessage> {
    const [method, path = ''] = line.split(' ');
    const asked = request(new URL(path, this.client.url), {
      agent: this.#agent,
      method,
      headers: { ...authorization(this.client.credentials), ...headers, 'content-length': body.length },
    });
    const answered: Promise<IncomingMessage[]> = once(asked.end(body), 'response');
    const [answer] = await answered;
    if (!answer) throw new Error('no answer');
    return answer;
  }

  /** Sends the beginning of a body of `sizeBytes`. @returns what sends the rest and waits for the answer's status */
  async beginBody(line: string, part: Buffer, sizeBytes: number): Promise<(rest: Buffer) => Promise<number>> {
    const [method, path = ''] = line.split(' ');
    const headers = { ...authorization(this.client.credentials), 'content-length': sizeBytes };
    const asked = request(new URL(path, this.client.url), { agent: this.#agent, method, headers });
    await new Promise((resolve) => asked.write(part, resolve));
    return async (rest) => {
      const answered: Promise<IncomingMessage[]> = once(asked.end(rest), 'response');
      const [answer] = await answered;
      return answer?.resume().statusCode ?? 0;
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A connection to each process. The kernel chooses: it is asked until there is one to both. */
export async function connectionToEach(
  serving: Serving,
  client = serving.admin,
): Promise<[Connection, Connection]> {
  const found = new Map<number, Connection>();
  for (let tries = 0; found.size < 2 && tries < 100; tries += 1) {
    const connection = new Connection(client);
    const { headers } = await connection.ask('GET /v2/_catalog');
    const { process = -1 } = await serving.logged(String(headers['x-request-id']));
    if (found.has(process)) connection.close();
    else found.set(process, connection);
  }
  const [first, second] = [found.get(0), found.get(1)];
  if (!first || !second) throw new Error('one process answers everything');
  return [first, second];
}
