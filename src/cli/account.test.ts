import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushBlob,
} from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { digestOf } from '../oci/digest.ts';

let world: DistributionWorld;
beforeAll(async () => {
  world = await openDistributionWorld();
});
afterAll(() => world.server.close());

it('account set --quota bounds what an account keeps, and account ls shows both', async () => {
  const { admin } = world.server;
  await pushBlob(world.acme, 'acme/shop', 'a'.repeat(600));
  const set = await lazaret(admin, 'account', 'set', 'acme', '--quota', '1kB');
  expect(set.text).toBe('account acme: who has a role or a grant may pull; 600 B used, quota 1.00 kB');
  const { text } = await lazaret(admin, 'account', 'ls');
  expect(text).toMatch(/^acme .* no +600 B +1\.00 kB/m);
  expect(text).toMatch(/^globex .* no +0 B +none/m);

  const content = 'b'.repeat(401);
  const begun = await http(world.acme, 'POST /v2/acme/shop/blobs/uploads/');
  const location = begun.headers.get('location') ?? '';
  const refused = await http(world.acme, `PUT ${location}?digest=${digestOf(content)}`, { body: content });
  expect(refused.status).toBe(403);
  const detail = { account: 'acme', quotaBytes: 1_000, usedBytes: 600 };
  expect(await refused.json()).toMatchObject({ errors: [{ code: 'DENIED', detail }] });
  expect((await http(world.acme, `GET ${location}`)).status).toBe(404);
  expect((await http(world.acme, `HEAD /v2/acme/shop/blobs/${digestOf(content)}`)).status).toBe(404);

  await lazaret(admin, 'account', 'set', 'acme', '--quota', 'none');
  await pushBlob(world.acme, 'acme/shop', content);
});

it('only operators set a quota, and only to a size', async () => {
  const owner = await world.server.user('acme-admin', 'acme', [
    { role: 'admin', account: 'acme', repositoryGlob: null },
  ]);
  const own = lazaret(owner, 'account', 'set', 'acme', '--quota', '1TB');
  await expect(own).rejects.toMatchObject({ code: 'denied' });
  const much = lazaret(world.server.admin, 'account', 'set', 'acme', '--quota', 'much');
  await expect(much).rejects.toThrow(/is not a size such as/);
});
