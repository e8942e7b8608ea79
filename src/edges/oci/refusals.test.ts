import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushLayers,
} from '../../../test/support/distribution-world.ts';
import { http } from '../../../test/support/http.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type { Client } from '../../client/client.ts';

/** What a refused client is told, over real HTTP. */
let world: DistributionWorld;
let security: Client;
const lodash = (version: string) =>
  buildLayer([
    { path: 'app/node_modules/lodash/package.json', content: `{"name":"lodash","version":"${version}"}` },
  ]);

beforeAll(async () => {
  world = await openDistributionWorld();
  security = await world.server.user('sam', 'acme', [
    { role: 'security', account: 'acme', repositoryGlob: null },
  ]);
  await pushLayers(world.acme, 'acme/shop:1.0', [await lodash('4.17.20')]);
  await world.server.drain();
  const found = await lazaret(
    security,
    'scan',
    '--all',
    '--package',
    'pkg:npm/lodash@<4.17.21',
    '-o',
    'json',
  );
  const scan = ['--scan', JSON.parse(found.text).name];
  const plan = JSON.parse((await lazaret(security, 'quarantine', 'plan', ...scan, '-o', 'json')).text);
  const why = ['--reason', 'lodash executes templates', '--ticket', 'INC-42'];
  await lazaret(security, 'quarantine', 'apply', plan.name, ...why);
});
afterAll(() => world.server.close());

async function refusalOf(client: Client, line: string) {
  const response = await http(client, line);
  expect(response.status).toBe(403);
  const body: { errors: { message: string; detail: Record<string, unknown> }[] } = JSON.parse(
    await response.text(),
  );
  return body.errors[0];
}

const told = 'quarantined by sam (Q-1, INC-42): lodash executes templates';

it('a refusal tells who, why and where it is discussed', async () => {
  const refusal = await refusalOf(world.reader, 'GET /v2/acme/shop/manifests/1.0');
  expect(refusal).toMatchObject({
    message: told,
    detail: { quarantine: 'Q-1', author: 'sam', reason: 'lodash executes templates', ticket: 'INC-42' },
  });
  expect(refusal?.detail).not.toHaveProperty('fixed');
});

it('a refusal names a newer tag only once it is inspected and does not match', async () => {
  const get = () => refusalOf(world.reader, 'GET /v2/acme/shop/manifests/1.0');
  await pushLayers(world.acme, 'acme/shop:1.1', [await lodash('4.17.19')]);
  await world.server.drain();
  expect((await get())?.message).toBe(told);
  await pushLayers(world.acme, 'acme/shop:1.2', [await lodash('4.17.21')]);
  expect((await get())?.message).toBe(told);
  await world.server.drain();
  expect(await get()).toMatchObject({
    message: `${told}; fixed: acme/shop:1.2`,
    detail: { fixed: 'acme/shop:1.2' },
  });
});

it('a refusal tells a guest no more than its name and reason', async () => {
  await lazaret(world.acme, 'grant', 'add', 'acme/*', '--to', 'globex');
  const refusal = await refusalOf(world.stranger, 'GET /v2/acme/shop/manifests/1.0');
  expect(refusal).toEqual({
    code: 'DENIED',
    message: 'quarantined (Q-1): lodash executes templates',
    detail: { quarantine: 'Q-1', reason: 'lodash executes templates' },
  });
});
