import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushImage,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { npmAdvisory } from '../../test/support/excepting.ts';
import { buildLayer } from '../../test/support/oci-layout.ts';

const npm = (name: string) => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version: '1.0.0' }),
});
const bash = {
  path: 'var/lib/dpkg/status',
  content: 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n',
};
const plan9 = { path: 'etc/os-release', content: 'ID=plan9\nVERSION_ID=4\n' };

/** What might be called clean: of each image, why nobody knows whether an advisory applies. */
const cases = [
  ['a layer that could not be read', 'acme/broken:1', /layer sha256:\w+: truncated/],
  ['a layer that is not read yet', 'acme/waiting:1', /its inspection has not ended/],
  ['packages of a distribution that nobody knows', 'acme/plan9:1', /'plan9' names no known release/],
  ['packages of which no feed was loaded', 'acme/debian:1', /no advisories of Debian:12 were loaded/],
  ['an advisory that can’t be read', 'acme/shop:1', /can’t be compared with an advisory/],
] as const;

describe('where nobody can tell', () => {
  let world: DistributionWorld;
  let folder: string;

  beforeAll(async () => {
    world = await openDistributionWorld();
    folder = await mkdtemp(join(tmpdir(), 'lazaret-unknown-'));
    await pushImage(world.acme, 'acme/broken:1');
    await pushLayers(world.acme, 'acme/plan9:1', [await buildLayer([bash, plan9])]);
    const debian = { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' };
    await pushLayers(world.acme, 'acme/debian:1', [await buildLayer([bash, debian])]);
    await pushLayers(world.acme, 'acme/shop:1', [await buildLayer([npm('lodash')])]);
    await pushLayers(world.acme, 'acme/clean:1', [await buildLayer([npm('express')])]);
    await world.server.drain();
    await pushLayers(world.acme, 'acme/waiting:1', [await buildLayer([npm('left-pad')])]);
    const file = join(folder, 'osv.json');
    const broken = { ...npmAdvisory('GHSA-1', 'lodash'), modified: 'lately' };
    await writeFile(file, JSON.stringify([broken, npmAdvisory('GHSA-2', 'ms')]));
    expect((await lazaret(world.server.admin, 'advisory', 'import', file)).code).toBe(3);
  });
  afterAll(async () => {
    await world.server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const scan = (...argv: string[]) => lazaret(world.server.admin, 'scan', ...argv);

  it.each(cases)('for %s, every output and the exit code say so', async (_, image, because) => {
    const [repository = ''] = image.split(':');
    const table = await scan(image);
    expect(table.text).toMatch(/0 of 1 images match/);
    expect(table.text.replace(/\s+/g, ' ')).toMatch(because);
    const json = await scan(image, '-o', 'json');
    const found = { repository, verdict: 'unknown', reason: expect.stringMatching(because) };
    expect(JSON.parse(json.text)).toMatchObject({ counts: { match: 0, unknown: 1 }, images: [found] });
    const yaml = await scan(image, '-o', 'yaml');
    expect(yaml.text.replace(/\s+/g, ' ')).toMatch(because);
    const sarif = await scan(image, '-o', 'sarif');
    const [run] = JSON.parse(sarif.text).runs;
    expect(run.results).toMatchObject([{ kind: 'open', message: { text: expect.stringMatching(because) } }]);
    const explained = await lazaret(world.server.admin, 'explain', image);
    expect([table, json, yaml, sarif, explained].map(({ code }) => code)).toEqual([3, 3, 3, 3, 3]);
    const shown = await lazaret(world.server.admin, 'image', 'show', image);
    expect(shown.text).not.toContain('advisories: none applies');
  });

  it('of an image of which all is known they say nothing', async () => {
    expect((await scan('acme/clean:1')).code).toBe(0);
    expect((await lazaret(world.server.admin, 'explain', 'acme/clean:1')).code).toBe(0);
    const shown = await lazaret(world.server.admin, 'image', 'show', 'acme/clean:1');
    expect(shown.text).toContain('advisories: none applies');
  });

  it('what of a source can’t be read is in every answer', async () => {
    expect((await scan('acme/clean:1')).text).toMatch(/^sources: import \(1 advisory, 1 can’t be read, /m);
    const sarif = await scan('acme/clean:1', '-o', 'sarif');
    expect(sarif.text).toContain('1 documents of import can’t be read');
  });
});
