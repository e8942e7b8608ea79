/** What registries ask of their clients, by a server that answers as told and one that gives tokens. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { collect } from '../lib/streams.ts';
import { digestOf } from '../oci/digest.ts';
import { blobFetch, tagNames } from './distribution-pull.ts';
import { RegistrySession } from './registry-session.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** @returns its address */
async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** Nobody waits, and what was waited for is known. */
class HastyClock extends ManualClock {
  readonly slept: number[] = [];

  override async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
  }
}

const credentials = { kind: 'basic', username: 'jo', password: 'secret' } as const;
const basic = `Basic ${Buffer.from('jo:secret').toString('base64')}`;
const read = { method: 'GET', path: '/v2/shop/tags/list', scopes: ['repository:shop:pull'] } as const;

describe('a registry that wants tokens', () => {
  it('gives one per scope for the password, which is used until it is about to end', async () => {
    const asked: string[] = [];
    const seen: (string | undefined)[] = [];
    const url: string = await serve(({ url: path, headers }, response) => {
      if (path?.startsWith('/token')) {
        asked.push(`${headers.authorization} ${path}`);
        response.end(JSON.stringify({ token: `token-${asked.length}`, expires_in: 300 }));
      } else if (headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token",service="old"` }).end();
      else {
        seen.push(headers.authorization);
        response.end('{}');
      }
    });
    const clock = new ManualClock();
    const session = new RegistrySession({ url, credentials, clock });
    for (let count = 0; count < 2; count += 1) await (await session.send(read)).body.dump();
    clock.advance(295_000);
    await (await session.send(read)).body.dump();
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
    expect(asked[0]).toBe(`${basic} /token?service=old&scope=repository%3Ashop%3Apull`);
  });

  it('is asked for a new one when it takes the old one no more', async () => {
    let tokens = 0;
    const url: string = await serve(({ url: path, headers }, response) => {
      if (path?.startsWith('/token')) {
        tokens += 1;
        response.end(JSON.stringify({ access_token: `token-${tokens}` }));
      } else if (headers.authorization === 'Bearer token-2') response.end('{}');
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token"` }).end();
    });
    const session = new RegistrySession({ url, credentials, clock: new ManualClock() });
    expect((await session.send(read)).statusCode).toBe(200);
  });
});

describe('a token that docker keeps in place of the password', () => {
  const identity = { kind: 'bearer', token: 'kept' } as const;

  it('is shown as it is where the registry takes it', async () => {
    const url = await serve(({ headers }, response) =>
      headers.authorization === 'Bearer kept' ? response.end('{}') : response.writeHead(400).end(),
    );
    const session = new RegistrySession({ url, credentials: identity, clock: new ManualClock() });
    expect((await session.send(read)).statusCode).toBe(200);
  });

  it('is exchanged where the registry does not', async () => {
    const forms: string[] = [];
    const url: string = await serve(async (request, response) => {
      const { method, headers } = request;
      if (method === 'POST') {
        forms.push((await collect(request, 10_000)).toString());
        response.end(JSON.stringify({ access_token: 'exchanged' }));
      } else if (headers.authorization === 'Bearer exchanged') response.end('{}');
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token",service="old"` }).end();
    });
    const session = new RegistrySession({ url, credentials: identity, clock: new ManualClock() });
    for (let count = 0; count < 2; count += 1) expect((await session.send(read)).statusCode).toBe(200);
    expect(forms).toEqual([
      'grant_type=refresh_token&refresh_token=kept&client_id=lazaret&scope=repository%3Ashop%3Apull&service=old',
    ]);
  });
});

describe('a registry that wants the password', () => {
  it('gets it from the first request on', async () => {
    const url = await serve(({ headers }, response) => {
      if (headers.authorization === basic) response.end('{}');
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="old"' }).end();
    });
    const session = new RegistrySession({ url, credentials, clock: new ManualClock() });
    expect((await session.send(read)).statusCode).toBe(200);
    const stranger = new RegistrySession({ url, clock: new ManualClock() });
    await expect(stranger.send(read)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('a registry in trouble', () => {
  it('is asked again, as late as it says', async () => {
    let count = 0;
    const url = await serve(({ url: path }, response) => {
      if (path === '/v2/') return void response.end();
      count += 1;
      if (count === 1) response.writeHead(429, { 'retry-after': '7' }).end();
      else if (count === 2) response.socket?.destroy();
      else response.end('{}');
    });
    const clock = new HastyClock();
    expect((await new RegistrySession({ url, clock }).send(read)).statusCode).toBe(200);
    expect(clock.slept).toEqual([7_000, 500]);
  });

  it('is given up after a few tries, with what went wrong', async () => {
    const clock = new HastyClock();
    const session = new RegistrySession({ url: 'http://127.0.0.1:1', clock });
    await expect(session.send(read)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(clock.slept).toHaveLength(4);
  });

  it('tells of a quarantine', async () => {
    const errors = [{ code: 'DENIED', message: 'quarantined (Q-1): INC-42', detail: { quarantine: 'Q-1' } }];
    const url = await serve(({ url: path }, response) =>
      path === '/v2/' ? response.end() : response.writeHead(403).end(JSON.stringify({ errors })),
    );
    const session = new RegistrySession({ url, clock: new ManualClock() });
    await expect(session.send(read)).rejects.toMatchObject({
      code: 'quarantined',
      message: 'quarantined (Q-1): INC-42',
    });
  });
});

describe('reading', () => {
  it('follows a redirect without the credentials, from the offset on', async () => {
    const bytes = Buffer.from('0123456789');
    const store = await serve(({ headers }, response) => {
      if (headers.authorization !== undefined) response.writeHead(400).end();
      else response.writeHead(206).end(bytes.subarray(Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1])));
    });
    const url = await serve(({ url: path, headers }, response) => {
      if (path === '/v2/') response.writeHead(401, { 'www-authenticate': 'Basic realm="old"' }).end();
      else
        response.writeHead(headers.authorization === basic ? 307 : 401, { location: `${store}/blob` }).end();
    });
    const session = new RegistrySession({ url, credentials, clock: new ManualClock() });
    const source = await blobFetch(session, { repository: 'shop', digest: digestOf(bytes), offset: 4 });
    expect((await collect(source ?? Readable.from([]), 100)).toString()).toBe('456789');
  });

  it('passes over what it has where the registry begins at the start', async () => {
    const url = await serve((_, response) => response.end('0123456789'));
    const session = new RegistrySession({ url, clock: new ManualClock() });
    const source = await blobFetch(session, { repository: 'shop', digest: digestOf(''), offset: 4 });
    expect((await collect(source ?? Readable.from([]), 100)).toString()).toBe('456789');
  });

  it('goes through all pages of a list', async () => {
    const url = await serve(({ url: path }, response) => {
      const last = /last=(\w)/.exec(path ?? '')?.[1];
      const next = { a: 'b', b: undefined }[last ?? ''] ?? (last === undefined ? 'a' : undefined);
      if (next !== undefined) response.setHeader('link', `</v2/shop/tags/list?last=${next}>; rel="next"`);
      response.end(JSON.stringify({ tags: [`after-${last}`] }));
    });
    const session = new RegistrySession({ url, clock: new ManualClock() });
    const tags = await Array.fromAsync(tagNames(session, { repository: 'shop' }));
    expect(tags).toEqual(['after-undefined', 'after-a', 'after-b']);
  });
});
