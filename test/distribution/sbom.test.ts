import { expect, it } from 'vitest';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { lazaret } from '../support/command-line.ts';
import { manifestType, pushLayers } from '../support/distribution-world.ts';
import { describeEngines } from '../support/engines.ts';
import { http } from '../support/http.ts';
import { buildLayer } from '../support/oci-layout.ts';
import { startTestServer } from '../support/server.ts';

describeEngines('a repository that wants bills of materials', (engines) => {
  it('has them as referrers, which a client finds, pulls and deletes with their image', async () => {
    const clock = systemClock;
    const database = await engines.open({ region: 'local', clock });
    const blobs = await openMemoryStore({ region: 'local' });
    await using stack = new AsyncDisposableStack();
    const server = await startTestServer({ database, blobs, clock });
    stack.defer(() => server.close());
    const acme = await server.user('acme-ci', 'acme', [
      { role: 'maintainer', account: 'acme', repositoryGlob: null },
    ]);
    const added = await lazaret(acme, 'sbom', 'add', 'acme/shop', '--format', 'spdx', 'cyclonedx');
    expect(added.text).toBe('B-1  acme/shop: spdx cyclonedx');
    expect((await lazaret(acme, 'sbom', 'ls')).text).toMatch(/B-1 +acme\/shop +spdx cyclonedx /);
    const path = 'node_modules/lodash/package.json';
    const layer = await buildLayer([{ path, content: '{"name":"lodash","version":"4.17.20"}' }]);
    const image = await pushLayers(acme, 'acme/shop:1', [layer]);
    await server.drain();

    const type = 'application/spdx+json';
    const referrers = `/v2/acme/shop/referrers/${image}`;
    const listed = async () => JSON.parse(await (await http(acme, `GET ${referrers}`)).text()).manifests;
    const found = await http(acme, `GET ${referrers}?artifactType=${encodeURIComponent(type)}`);
    expect(found.headers.get('oci-filters-applied')).toBe('artifactType');
    const { manifests } = JSON.parse(await found.text());
    expect(manifests).toMatchObject([{ mediaType: manifestType, artifactType: type }]);
    const artefact = await http(acme, `GET /v2/acme/shop/manifests/${manifests[0].digest}`);
    const { layers } = JSON.parse(await artefact.text());
    expect(layers[0].annotations).toEqual({ 'org.opencontainers.image.title': 'sbom.spdx.json' });
    const pulled = await http(acme, `GET /v2/acme/shop/blobs/${layers[0].digest}`);
    const text = await pulled.text();
    expect(digestOf(text)).toBe(layers[0].digest);
    const { text: asked } = await lazaret(acme, 'image', 'sbom', 'acme/shop:1', '--format', 'spdx');
    expect(text.trim()).toBe(asked.trim());
    expect(text).toContain('pkg:npm/lodash@4.17.20');

    expect((await lazaret(acme, 'sbom', 'rm', 'B-1')).text).toBe('B-1  ended');
    expect(await listed()).toHaveLength(2);
    expect((await http(acme, `DELETE /v2/acme/shop/manifests/${image}`)).status).toBe(202);
    expect(await listed()).toEqual([]);
  });
});

it('only a maintainer of the account, or the operator, makes such rules', async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startTestServer();
  stack.defer(() => server.close());
  const reader = await server.user('jo', 'acme', [{ role: 'reader', account: 'acme', repositoryGlob: null }]);
  const add = (client: typeof reader, glob: string) => lazaret(client, 'sbom', 'add', glob);
  await expect(add(reader, 'acme/*')).rejects.toMatchObject({ code: 'denied' });
  await expect(add(server.admin, 'acme/{a')).rejects.toMatchObject({ code: 'invalid' });
  expect((await add(server.admin, '**')).text).toBe('B-1  **: cyclonedx');
  expect((await lazaret(reader, 'sbom', 'ls')).text).toContain('**');
});
