import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import type { ConfigCriteria } from '../../criteria/criteria.ts';
import { imageMeets } from './image-meets.ts';

describeEngines('criteria over the config of an image', (engines) => {
  test('hold by user, port, name of a variable and label, each as the config says', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([{ path: 'a', content: 'a' }]);
    const config = {
      User: 'web:web',
      Env: ['TOKEN=hush', 'PATH=/bin'],
      ExposedPorts: { '8080/tcp': {} },
      Labels: { 'org.acme.team': "it's us" },
    };
    const web = await world.push({ layers: [layer], config });
    const root = await world.push({ layers: [layer], config: {} });
    await world.drain();
    const verdicts = async (asked: ConfigCriteria['config']) => {
      const of = async (id: number) => (await imageMeets(world.database, id, { config: asked })).verdict;
      return [await of(web), await of(root)];
    };
    expect(await verdicts({ user: 'web' })).toEqual(['match', 'noMatch']);
    expect(await verdicts({ user: 'we' })).toEqual(['noMatch', 'noMatch']);
    expect(await verdicts({ user: '0' })).toEqual(['noMatch', 'match']);
    expect(await verdicts({ port: '8080/tcp', env: 'TOKEN' })).toEqual(['match', 'noMatch']);
    expect(await verdicts({ port: '8080/tcp', env: 'hush' })).toEqual(['noMatch', 'noMatch']);
    expect(await verdicts({ label: { name: 'org.acme.team' } })).toEqual(['match', 'noMatch']);
    expect(await verdicts({ label: { name: 'org.acme.team', value: "it's us" } })).toEqual([
      'match',
      'noMatch',
    ]);
    expect(await verdicts({ label: { name: 'org.acme.team', value: 'them' } })).toEqual([
      'noMatch',
      'noMatch',
    ]);
    const { evidence } = await imageMeets(world.database, web, { config: { user: 'web' } });
    expect(evidence).toMatchObject([{ layer: null, path: 'config:user' }]);
  });

  test('hold by the label of that very name, whatever characters it has', async () => {
    await using world = await inventoryWorld(engines);
    const layer = await buildLayer([{ path: 'a', content: 'a' }]);
    const names = ['team', 'te"am', 'te\\am', '\\', 'a.b', '[0]', '$', 'tëam'];
    const id = await world.push({
      layers: [layer],
      config: { Labels: Object.fromEntries(names.map((name) => [name, name])) },
    });
    await world.drain();
    const verdict = async (name: string, value: string) =>
      (await imageMeets(world.database, id, { config: { label: { name, value } } })).verdict;
    for (const name of names) expect([name, await verdict(name, name)]).toEqual([name, 'match']);
    for (const name of ['"team', 'team"', 'te\\\\am', 'a', '\\"'])
      expect([name, await verdict(name, 'team')]).toEqual([name, 'noMatch']);
  });
});
