import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { configType, manifestType, pushBlob, pushImage } from '../support/distribution-world.ts';
import { type HttpRequest, http } from '../support/http.ts';
import { type AccessWorld, noDigest, openAccessWorld } from './world.ts';

/** What somebody may not see answers, byte for byte, as what there is not. */
let world: AccessWorld;
/** May do everything in globex, and nothing in acme. */
let rival: Client;
/** A robot of acme that may push to acme/web and nowhere else. */
let robot: Client;
let hiddenLayer = '';
beforeAll(async () => {
  world = await openAccessWorld();
  const over = (role: 'maintainer' | 'security' | 'admin') => ({
    role,
    account: 'globex',
    repositoryGlob: null,
  });
  rival = await world.server.user('rival', 'globex', [over('maintainer'), over('security'), over('admin')]);
  await pushImage(rival, 'globex/app:1');
  robot = await world.server.user('web', 'acme', [
    { role: 'writer', account: null, repositoryGlob: 'acme/web' },
  ]);
  hiddenLayer = await pushBlob(world.as.maintainer, 'acme/shop', 'hidden in acme/shop');
});
afterAll(() => world.server.close());

/** There and not to be seen; not there in an account that is; in an account that is not. */
const names = ['acme/shop', 'acme/none', 'ghost/none'] as const;

/** Status, headers and body, with what was asked, and what is new in each answer, made the same. */
async function seen(client: Client, line: string, request: HttpRequest = {}): Promise<string> {
  const response = await http(client, line, request);
  // The length differs with the length of the names that were asked for.
  const varying = ['date', 'x-request-id', ...(response.status >= 400 ? ['content-length'] : [])];
  const headers = [...response.headers].filter(([name]) => !varying.includes(name));
  const text = JSON.stringify([response.status, headers, await response.text()]);
  return names
    .reduce((shown, name) => shown.replaceAll(name, 'NAME'), text)
    .replaceAll(/\b(acme|ghost)\b/g, 'ACCOUNT')
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replaceAll(/\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b/g, 'ID');
}

async function expectSame(asks: readonly (() => Promise<string>)[], status: number): Promise<void> {
  const answers: string[] = [];
  for (const ask of asks) answers.push(await ask());
  expect(answers[0]).toMatch(new RegExp(`^\\[${status},`));
  for (const answer of answers.slice(1)) expect(answer).toBe(answers[0]);
}

const requests = [
  'GET manifests/1',
  'HEAD manifests/1',
  'PUT manifests/1',
  'DELETE manifests/1',
  'GET manifests/LAYER',
  'GET blobs/LAYER',
  'HEAD blobs/LAYER',
  'DELETE blobs/LAYER',
  'POST blobs/uploads/',
  'GET blobs/uploads/none',
  'GET tags/list',
  'GET referrers/LAYER',
];

describe('a repository that may not be seen', () => {
  it.each(requests)('answers %s as one that there is not', async (request) => {
    const [method, path] = request.split(' ');
    const line = (name: string) => `${method} /v2/${name}/${path?.replace('LAYER', world.layer)}`;
    const who = [
      [rival, 404],
      [robot, 404],
      [world.as.nobody, 401],
    ] as const;
    for (const [client, status] of who)
      await expectSame(
        names.map((name) => () => seen(client, line(name))),
        status,
      );
  });

  it('gets a token into which nothing was put, as one that there is not', async () => {
    for (const name of names) {
      const asked = `GET /v2/token?scope=repository:${name}:pull,push&scope=repository:globex/app:pull`;
      const { scope }: { scope: string } = JSON.parse(await (await http(rival, asked)).text());
      expect(scope).toBe('repository:globex/app:pull');
    }
  });

  it('is not in the catalog, the images, the trash or the events', async () => {
    for (const path of ['/v2/_catalog', '/api/v1/images', '/api/v1/trash', '/api/v1/events?limit=1000'])
      expect(await (await http(rival, `GET ${path}`)).text()).not.toContain('acme/');
  });
});

describe('a blob that may not be seen', () => {
  it('is not mounted but uploaded, as one that there is not, wherever it is said to be', async () => {
    const mount = (digest: string, from?: string) => () =>
      seen(
        rival,
        `POST /v2/globex/app/blobs/uploads/?mount=${digest}${from === undefined ? '' : `&from=${from}`}`,
      );
    await expectSame(
      [
        ...names.map((name) => mount(hiddenLayer, name)),
        ...names.map((name) => mount(noDigest, name)),
        mount(hiddenLayer, 'globex/app'),
        mount(hiddenLayer, 'globex/none'),
        mount(noDigest),
        mount(hiddenLayer),
      ],
      202,
    );
  });

  it('is mounted by a token that is for both repositories', async () => {
    const token = async (who: Client, ...scopes: string[]): Promise<Client> => {
      const query = scopes.map((scope) => `scope=${scope}`).join('&');
      const answer = await http(who, `GET /v2/token?${query}`);
      const { token: given }: { token: string } = JSON.parse(await answer.text());
      return { url: world.server.url, credentials: { kind: 'bearer', token: given } };
    };
    const to = 'repository:acme/other:pull,push';
    const line = `POST /v2/acme/other/blobs/uploads/?mount=${hiddenLayer}&from=acme/shop`;
    const from = 'repository:acme/shop:pull';
    const { maintainer } = world.as;
    const asked = await http(await token(maintainer, to), line);
    expect(asked.status).toBe(401);
    expect(asked.headers.get('www-authenticate')).toContain(`scope="${to} ${from}"`);
    expect((await http(await token(maintainer, to, from), line)).status).toBe(201);
    const together = encodeURIComponent(`${to} ${from}`);
    expect((await http(await token(maintainer, together), line)).status).toBe(201);
    // To whom it may not be seen no more is said than of what there is not.
    const app = await token(rival, 'repository:globex/app:pull,push');
    const mount = (name: string) => () =>
      seen(app, `POST /v2/globex/app/blobs/uploads/?mount=${hiddenLayer}&from=${name}`);
    await expectSame(names.map(mount), 202);
  });

  it('is unknown to who asks for it, or names it in a manifest, elsewhere', async () => {
    const get = (method: string, digest: string) => () =>
      seen(rival, `${method} /v2/globex/app/blobs/${digest}`);
    for (const method of ['GET', 'HEAD', 'DELETE'])
      await expectSame([get(method, hiddenLayer), get(method, noDigest)], 404);
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [hiddenLayer] },
    });
    const configDigest = await pushBlob(rival, 'globex/app', config);
    const put = (digest: string) => () => {
      const body = JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: { mediaType: configType, digest: configDigest, size: config.length },
        layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 19 }],
      });
      const headers = { 'content-type': manifestType };
      return seen(rival, 'PUT /v2/globex/app/manifests/2', { body, headers });
    };
    await expectSame([put(hiddenLayer), put(noDigest)], 404);
  });

  it('is taken when it is pushed again, as one that is new', async () => {
    const push = (content: string) => async () => {
      const begun = await http(rival, 'POST /v2/globex/app/blobs/uploads/');
      const location = begun.headers.get('location');
      return seen(rival, `PUT ${location}?digest=${digestOf(content)}`, { body: content });
    };
    await expectSame([push('hidden in acme/shop'), push('not yet anywhere at')], 201);
  });
});

describe('by the management API, what may not be seen', () => {
  const json = (body: unknown): HttpRequest => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  it('is no image', async () => {
    const show = (name: string) => () => seen(rival, `GET /api/v1/images/show?reference=${name}:1`);
    await expectSame(names.map(show), 404);
    const criteria = { package: { purl: 'pkg:npm/lodash' } };
    const scan = (name: string) => () =>
      seen(rival, 'POST /api/v1/scans', json({ criteria, scope: { image: `${name}:1` } }));
    await expectSame(names.map(scan), 404);
    const plan = (name: string) => () =>
      seen(rival, 'POST /api/v1/plans', json({ criteria, scope: { image: `${name}:1` } }));
    await expectSame(names.map(plan), 404);
  });

  it('is refused in the same words', async () => {
    const restore = (name: string) => () =>
      seen(rival, 'POST /api/v1/trash/restore', json({ reference: `${name}:old` }));
    await expectSame(names.map(restore), 403);
    const place = { name: 'x', account: 'globex', region: 'local', instance: 'host-1' };
    const deploy = (name: string) => () =>
      seen(rival, 'POST /api/v1/deployments', json({ ...place, reference: `${name}:1` }));
    await expectSame(names.map(deploy), 403);
    const bytes = (name: string) => () =>
      seen(rival, `GET /api/v1/forensics/blobs/${world.layer}?repository=${name}`);
    await expectSame(names.map(bytes), 403);
    const account = (name: string) => () => seen(rival, `POST /api/v1/accounts/${name}`, json({}));
    await expectSame(['acme', 'ghost'].map(account), 403);
  });

  it('is no plan, scan, quarantine, rule, deployment or robot', async () => {
    const rule = world.rules.get('reader') ?? '';
    const reason = json({ reason: 'test' });
    const asks = [
      ['GET /api/v1/plans/', world.plan, 'P-999', {}],
      ['GET /api/v1/scans/', world.scan, 'S-999', {}],
      ['GET /api/v1/quarantines/', world.quarantine, 'Q-999', {}],
      ['GET /api/v1/receipts/', world.quarantine, 'Q-999', {}],
      ['POST /api/v1/quarantines/:/release', world.quarantine, 'Q-999', reason],
      ['DELETE /api/v1/retention/rules/', rule, 'R-999', {}],
      ['DELETE /api/v1/immutability/rules/', world.immutable.get('reader') ?? '', 'I-999', {}],
      ['DELETE /api/v1/sbom/rules/', world.sboms.get('reader') ?? '', 'B-999', {}],
      ['GET /api/v1/deployments/', 'web', 'none', {}],
      ['POST /api/v1/deployments/:/stop', 'web', 'none', json({})],
      ['DELETE /api/v1/principals/', 'acme+reader', 'acme+none', {}],
      ['POST /api/v1/principals/:/secret', 'the-reader', 'nobody', json({})],
    ] as const;
    for (const [line, there, not, request] of asks) {
      const ask = (name: string) => async () => {
        const path = line.includes(':') ? line.replace(':', name) : `${line}${name}`;
        return (await seen(rival, path, request)).replaceAll(name.replace('acme', 'ACCOUNT'), 'OBJECT');
      };
      await expectSame([ask(there), ask(not)], 404);
    }
    const plan = (scan: string) => async () =>
      (await seen(rival, 'POST /api/v1/plans', json({ scan }))).replaceAll(scan, 'OBJECT');
    await expectSame([plan(world.scan), plan('S-999')], 404);
  });
});
