import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { zipOf } from '../../../test/support/zip.ts';
import { ManualClock } from '../../lib/clock.ts';
import { guardedFetch } from '../../outbound/guarded-fetch.ts';
import { whyAnyMayBeHit } from '../../records/advisories/broken.ts';
import { feedStates } from '../../records/advisories/feeds.ts';
import { advisorySourceList } from '../../records/advisories/sources.ts';
import { followFeedsTask } from './follow-feeds.ts';

const hour = 3_600_000;
const osv = (id: string, modified: string) =>
  JSON.stringify({ id, modified: `${modified}T00:00:00Z`, affected: [] });

interface Page {
  body: string | Buffer;
  etag?: string;
  lastModified?: string;
  location?: string;
  status?: number;
}

/** A real server of these pages, which knows what was asked. */
async function pages(content: Record<string, Page>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const page = content[request.url ?? ''];
    const same = page !== undefined && unchanged(request, page);
    asked.push(`${request.url} ${same ? 304 : page ? (page.status ?? 200) : 404}`);
    if (page === undefined) return response.writeHead(404).end();
    const headers = {
      ...(page.etag ? { etag: page.etag } : {}),
      ...(page.lastModified ? { 'last-modified': page.lastModified } : {}),
      ...(page.location ? { location: page.location } : {}),
    };
    return response.writeHead(same ? 304 : (page.status ?? 200), headers).end(same ? '' : page.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    content,
    url: `http://127.0.0.1:${address.port}`,
    take: () => asked.splice(0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function unchanged({ headers }: IncomingMessage, { etag, lastModified }: Page): boolean {
  if (etag !== undefined) return headers['if-none-match'] === etag;
  return lastModified !== undefined && headers['if-modified-since'] === lastModified;
}

async function following(
  engines: EngineWorld,
  feeds: readonly { name: string; url: string }[],
  allowed = ['127.0.0.0/8'],
) {
  const clock = new ManualClock();
  const database = await engines.open({ clock });
  const deps = { database, clock, fetchOutbound: guardedFetch({ allowed }) };
  const task = () =>
    followFeedsTask(
      deps,
      feeds.map((feed) => ({ ...feed, everyMs: hour })),
    );
  let running = task();
  const { signal } = new AbortController();
  return {
    database,
    restart: () => {
      running = task();
    },
    run: async (laterMs = 0) => {
      clock.advance(laterMs);
      return running.run(signal);
    },
    state: async (name: string) => (await feedStates(database.read)).get(name),
    ids: async () =>
      (await database.read.selectFrom('advisories').select(['advisory_id', 'modified_at']).execute())
        .map((row) => `${row.advisory_id} ${new Date(row.modified_at).toISOString().slice(0, 10)}`)
        .sort(),
  };
}

describeEngines('a configured source', (engines) => {
  test.each<[string, Partial<Page>]>([
    ['ETag', { etag: '"1"' }],
    ['Last-Modified', { lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' }],
  ])('is fetched when it is due, and only if it has changed by its %s', async (_, validator) => {
    await using site = await pages({ '/a.jsonl': { body: osv('A-1', '2026-01-01'), ...validator } });
    const world = await following(engines, [{ name: 'a', url: `${site.url}/a.jsonl` }]);
    expect(await world.run()).toBe('worked');
    expect(await world.run(hour - 1)).toBe('idle');
    world.restart();
    expect(await world.run(1)).toBe('worked');
    expect(site.take()).toEqual(['/a.jsonl 200', '/a.jsonl 304']);
    site.content['/a.jsonl'] = { body: osv('A-1', '2026-01-02'), etag: '"2"' };
    await world.run(hour);
    expect(await world.ids()).toEqual(['A-1 2026-01-02']);
    expect(await advisorySourceList(world.database.read)).toMatchObject([{ source: 'a', documents: 1 }]);
  });

  test('that fails says why, keeps what it gave, and is tried again later each time', async () => {
    await using site = await pages({ '/a.json': { body: osv('A-1', '2026-01-01') } });
    const world = await following(engines, [{ name: 'a', url: `${site.url}/a.json` }]);
    await world.run();
    site.content['/a.json'] = { body: '', status: 503 };
    await world.run(hour);
    expect((await world.state('a'))?.error).toContain('/a.json answered 503');
    expect(await world.run(59_999)).toBe('idle');
    expect(await world.run(1)).toBe('worked');
    expect(await world.run(60_000)).toBe('idle');
    site.content['/a.json'] = { body: osv('A-1', '2026-01-01') };
    expect(await world.run(60_000)).toBe('worked');
    expect(await world.state('a')).toMatchObject({ error: null });
    expect(await world.ids()).toEqual(['A-1 2026-01-01']);
  });

  test('that was never loaded leaves unknown what it would say', async () => {
    await using site = await pages({ '/a.json': { body: osv('A-1', '2026-01-01') } });
    const feeds = ['a', 'b'].map((name) => ({ name, url: `${site.url}/${name}.json` }));
    const world = await following(engines, feeds);
    await world.run();
    expect(await whyAnyMayBeHit(world.database)).toBe('b was never loaded');
    site.content['/b.json'] = { body: osv('B-1', '2026-01-01') };
    await world.run(hour);
    expect(await whyAnyMayBeHit(world.database)).toBeUndefined();
  });

  test('that lists its changes gives all at first, then what has changed since', async () => {
    await using site = await pages({
      '/npm/modified_id.csv': { body: '2026-01-02T00:00:00Z,A-2\n2026-01-01T00:00:00Z,A-1\n', etag: '"1"' },
      '/npm/all.zip': {
        body: zipOf([
          { name: 'A-1.json', text: osv('A-1', '2026-01-01') },
          { name: 'A-2.json', text: osv('A-2', '2026-01-02') },
        ]),
      },
      '/npm/A-3.json': { body: osv('A-3', '2026-01-02') },
      '/npm/A-2.json': { body: osv('A-2', '2026-01-02') },
      '/npm/A-1.json': { body: osv('A-1', '2026-01-03') },
    });
    const world = await following(engines, [{ name: 'npm', url: `${site.url}/npm/modified_id.csv` }]);
    await world.run();
    expect(await world.ids()).toEqual(['A-1 2026-01-01', 'A-2 2026-01-02']);
    await world.run(hour);
    expect(site.take()).toEqual(['/npm/modified_id.csv 200', '/npm/all.zip 200', '/npm/modified_id.csv 304']);
    const changes = ['2026-01-03T00:00:00Z,A-1', '2026-01-02T00:00:00Z,A-3', '2026-01-02T00:00:00Z,A-2'];
    site.content['/npm/modified_id.csv'] = {
      body: [...changes, '2026-01-01T00:00:00Z,A-0'].join('\n'),
      etag: '"2"',
    };
    await world.run(hour);
    expect(site.take().slice(1).sort()).toEqual([
      '/npm/A-1.json 200',
      '/npm/A-2.json 200',
      '/npm/A-3.json 200',
    ]);
    expect(await world.ids()).toEqual(['A-1 2026-01-03', 'A-2 2026-01-02', 'A-3 2026-01-02']);
    expect((await world.state('npm'))?.cursor).toBe('2026-01-03T00:00:00Z');
  });

  test('whose changed document is missing has the others, and is not called up to date while that may still come', async () => {
    await using site = await pages({
      '/modified_id.csv': { body: '2026-01-01T00:00:00Z,npm/A-1\n' },
      '/all.zip': { body: zipOf([{ name: 'A-1.json', text: osv('A-1', '2026-01-01') }]) },
      '/npm/A-3.json': { body: osv('A-3', '2026-01-01') },
    });
    const world = await following(engines, [{ name: 'all', url: `${site.url}/modified_id.csv` }]);
    await world.run();
    site.content['/modified_id.csv'] = {
      body: '2026-01-01T00:30:00Z,npm/A-2\n2026-01-01T00:20:00Z,npm/A-3\n',
    };
    await world.run(hour);
    expect(await world.ids()).toEqual(['A-1 2026-01-01', 'A-3 2026-01-01']);
    expect(await world.state('all')).toMatchObject({ cursor: '2026-01-01T00:00:00Z' });
    expect((await world.state('all'))?.error).toContain('/npm/A-2.json answered 404');
    await world.run(hour);
    expect(await world.state('all')).toMatchObject({ cursor: '2026-01-01T00:30:00Z', error: null });
  });

  test('on a private address is not reached unless that is configured, also not by a redirection or a name', async () => {
    await using site = await pages({ '/a.json': { body: osv('A-1', '2026-01-01') } });
    const { port } = new URL(site.url);
    await using other = await pages({
      '/to': { body: '', status: 302, location: `http://localhost:${port}/a.json` },
    });
    for (const [url, allowed] of [
      [`${site.url}/a.json`, []],
      [`http://localhost:${port}/a.json`, []],
      [`http://[::ffff:127.0.0.1]:${port}/a.json`, []],
      [`${other.url}/to`, ['127.0.0.9']],
    ] as const) {
      const world = await following(engines, [{ name: 'a', url }], [...allowed]);
      await world.run();
      expect((await world.state('a'))?.error, url).toContain('private address');
    }
    expect(site.take()).toEqual([]);
    const world = await following(engines, [{ name: 'a', url: `${other.url}/to` }], ['127.0.0.1', '::1']);
    await world.run();
    expect(await world.ids()).toEqual(['A-1 2026-01-01']);
  });
});
