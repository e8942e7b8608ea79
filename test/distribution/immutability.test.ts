import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../support/command-line.ts';
import {
  type DistributionWorld,
  manifestType,
  openDistributionWorld,
  pushImage,
} from '../support/distribution-world.ts';
import { http } from '../support/http.ts';

/** A tag under a rule names the same image for good. */
let world: DistributionWorld;
beforeAll(async () => {
  world = await openDistributionWorld();
});
afterAll(() => world.server.close());

it('a tag under a rule is neither moved nor deleted, its exempt neighbours are, and all are when the rule ends', async () => {
  const { acme } = world;
  const first = await pushImage(acme, 'acme/fixed:v1');
  const second = await pushImage(acme, 'acme/fixed:v2');
  const put = (tag: string, { body }: { body: string }) =>
    http(acme, `PUT /v2/acme/fixed/manifests/${tag}`, { body, headers: { 'content-type': manifestType } });
  expect((await put('latest', first)).status).toBe(201);
  const added = await lazaret(acme, 'immutability', 'add', 'acme/fix*', '--except', 'latest', 'dev-*');
  expect(added.text).toBe('I-1  acme/fix*: every tag but latest dev-*');
  const refusal = (what: string) => ({
    errors: [
      {
        code: 'DENIED',
        message: `acme/fixed:v1 can't be ${what}: it is immutable by rule I-1`,
        detail: { tag: 'v1', rule: 'I-1' },
      },
    ],
  });
  const moved = await put('v1', second);
  expect([moved.status, await moved.json()]).toEqual([403, refusal('moved')]);
  const byParameter = await put(`${second.digest}?tag=v1&tag=v3`, second);
  expect([byParameter.status, await byParameter.json()]).toEqual([403, refusal('moved')]);
  expect((await http(acme, 'HEAD /v2/acme/fixed/manifests/v3')).status).toBe(404);
  for (const reference of ['v1', first.digest]) {
    const deleted = await http(acme, `DELETE /v2/acme/fixed/manifests/${reference}`);
    expect([deleted.status, await deleted.json()]).toEqual([403, refusal('deleted')]);
  }
  expect((await put('v1', first)).status).toBe(201);
  for (const tag of ['latest', 'dev-1', 'v4']) expect((await put(tag, second)).status).toBe(201);
  const got = await http(acme, 'GET /v2/acme/fixed/manifests/v1');
  expect(got.headers.get('docker-content-digest')).toBe(first.digest);
  expect((await http(acme, 'DELETE /v2/acme/fixed/manifests/dev-1')).status).toBe(202);
  expect((await http(acme, 'DELETE /v2/acme/fixed/manifests/never')).status).toBe(404);

  expect((await lazaret(acme, 'immutability', 'ls')).text).toMatch(/I-1 +acme\/fix\* +latest dev-\* /);
  expect((await lazaret(acme, 'immutability', 'rm', 'I-1')).text).toBe('I-1  ended');
  expect((await put('v1', second)).status).toBe(201);
  expect((await http(acme, 'DELETE /v2/acme/fixed/manifests/v1')).status).toBe(202);
});

it('retention leaves the tags that a rule keeps immutable', async () => {
  const { acme, server } = world;
  for (const tag of ['v1', 'dev-1', 'dev-2']) await pushImage(acme, `acme/kept:${tag}`);
  await lazaret(acme, 'immutability', 'add', 'acme/kept', '--except', 'dev-*');
  await lazaret(acme, 'retention', 'add', 'acme/kept', '--keep-latest', '1');
  const plan = await lazaret(acme, 'retention', 'plan', '--repositories', 'acme/kept');
  expect(plan.text).toMatch(/:v1 +sha256:\w{12} +stays +I-2 always keeps this tag/);
  await server.drain();
  const tags = await http(acme, 'GET /v2/acme/kept/tags/list');
  expect(await tags.json()).toEqual({ name: 'acme/kept', tags: ['dev-2', 'v1'] });
});

it('only a maintainer of the account, or the operator, makes rules, and over one account its own', async () => {
  const add = (client: DistributionWorld['acme'], glob: string) =>
    lazaret(client, 'immutability', 'add', glob);
  await expect(add(world.reader, 'acme/*')).rejects.toMatchObject({ code: 'denied' });
  await expect(add(world.stranger, 'acme/*')).rejects.toMatchObject({ code: 'denied' });
  await expect(add(world.acme, '**')).rejects.toMatchObject({ code: 'denied' });
  await expect(add(world.acme, 'acme/{a')).rejects.toMatchObject({ code: 'invalid' });
  expect((await add(world.server.admin, '*/released')).text).toContain('*/released: every tag');
  expect((await lazaret(world.stranger, 'immutability', 'ls')).text).toContain('*/released');
  expect((await lazaret(world.stranger, 'immutability', 'ls')).text).not.toContain('acme/kept');
});
