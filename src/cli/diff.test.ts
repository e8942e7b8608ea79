import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { buildLayer } from '../../test/support/oci-layout.ts';

let world: DistributionWorld;
beforeAll(async () => {
  world = await openDistributionWorld();
  const layer = (version: string, other: string) =>
    buildLayer(
      Object.entries({ ms: version, [other]: '1.0.0' }).map(([name, is]) => ({
        path: `app/node_modules/${name}/package.json`,
        content: JSON.stringify({ name, version: is }),
      })),
    );
  await pushLayers(world.acme, 'acme/shop:1', [await layer('1.0.0', 'old')]);
  await pushLayers(world.acme, 'acme/fork:2', [await layer('2.0.0', 'new')]);
  await world.server.drain();
});
afterAll(() => world.server.close());

const diff = (...argv: string[]) => lazaret(world.reader, 'diff', ...argv);

it('exits with 2 and a table when images of two repositories differ', async () => {
  const packages = await diff('acme/shop:1', 'acme/fork:2');
  expect(packages.code).toBe(2);
  expect(packages.text).toMatch(/^changed +npm +ms +1\.0\.0 +2\.0\.0$/m);
  expect(packages.text).toMatch(/^removed +npm +old +1\.0\.0 +-$/m);
  expect(packages.text).toMatch(/^added +npm +new +- +1\.0\.0$/m);
  const files = await diff('acme/shop:1', 'acme/fork:2', '--files');
  expect(files.text).toMatch(
    /^changed +0644 file [0-9a-f]{12} +0644 file [0-9a-f]{12} +\/app\/.*package\.json$/m,
  );
});

it('exits with 0 when nothing differs', async () => {
  expect(await diff('acme/shop:1', 'acme/shop:1', '--files')).toEqual({ text: 'no difference', code: 0 });
});

it('exits with 3 when nobody knows', async () => {
  const findings = await diff('acme/shop:1', 'acme/fork:2', '--findings');
  expect(findings).toMatchObject({
    code: 3,
    text: expect.stringContaining('no advisories were ever loaded'),
  });
});

it('shows nothing of an image that the caller may not see', async () => {
  const hidden = lazaret(world.stranger, 'diff', 'acme/shop:1', 'acme/fork:2');
  await expect(hidden).rejects.toMatchObject({ code: 'nameUnknown' });
});
