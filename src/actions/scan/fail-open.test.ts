import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer, type LayerEntry } from '../../../test/support/oci-layout.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import { feedStatusList } from '../../records/advisories/status.ts';
import { importFeed } from '../match/import-feed.ts';
import { evaluate } from './evaluate.ts';
import { imageMeets } from './image-meets.ts';
import { universeOfManifests } from './universe.ts';

const lodash: LayerEntry = {
  path: 'app/node_modules/lodash/package.json',
  content: '{"name":"lodash","version":"4.17.20"}',
};
const dpkg: LayerEntry = {
  path: 'var/lib/dpkg/status',
  content: 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n',
};
const debian: LayerEntry = { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' };
const range = (events: object[]) => [{ type: 'SEMVER', events }];
const affected = (name: string, ranges: object[], ecosystem = 'npm') => [
  { package: { ecosystem, name }, ranges },
];
const high = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }];
const advisory = (name: string, rest: object = { severity: high }) => ({
  id: `TEST-${name}`,
  modified: '2026-01-01T00:00:00Z',
  affected: affected(name, range([{ introduced: '0' }, { fixed: '99.0.0' }])),
  ...rest,
});

interface Case {
  readonly image: (world: InventoryWorld) => Promise<number>;
  /** As documents, or as text. */
  readonly advisories?: readonly (object | string)[];
  readonly criteria: Criteria;
  readonly because: RegExp;
}

const pushed =
  (...entries: LayerEntry[]) =>
  async (world: InventoryWorld) => {
    const id = await world.push({ layers: [await buildLayer(entries)] });
    await world.drain();
    return id;
  };
const anything: Criteria = { advisory: { severity: 'low' } };

/** What might otherwise be called clean. */
const cases: Readonly<Record<string, Case>> = {
  'no feed was ever loaded': {
    image: pushed(lodash),
    criteria: anything,
    because: /no advisories were loaded/,
  },
  'no feed of its ecosystem was loaded': {
    image: pushed(lodash, dpkg, debian),
    advisories: [advisory('left-pad')],
    criteria: anything,
    because: /no advisories of Debian:12 were loaded/,
  },
  'its distribution is not known': {
    image: pushed(dpkg, { path: 'etc/os-release', content: 'ID=plan9\nVERSION_ID=4\n' }),
    advisories: [advisory('left-pad')],
    criteria: anything,
    because: /'plan9' names no known release/,
  },
  'a layer is not inspected yet': {
    image: async (world) => world.push({ layers: [await buildLayer([lodash])] }),
    criteria: { package: { purl: 'pkg:npm/express' } },
    because: /its inspection has not ended/,
  },
  'a layer could not be read': {
    image: async (world) => {
      const id = await world.push({ layers: [await world.brokenLayer({ bytes: Buffer.from('no tar') })] });
      await world.drain();
      return id;
    },
    criteria: { file: { path: 'etc/shadow' } },
    because: /./,
  },
  'no extractor reads such packages': {
    image: pushed(lodash),
    criteria: { package: { purl: 'pkg:conan/zlib' } },
    because: /packages of the type 'conan' are not looked for/,
  },
  'an advisory is broken': {
    image: pushed(lodash),
    advisories: [
      advisory('lodash', {
        severity: high,
        affected: affected('lodash', range([{ introduced: '0' }, { fixed: 'not a version' }])),
      }),
    ],
    criteria: anything,
    because: /can’t be compared/,
  },
  'nobody gave a severity': {
    image: pushed(lodash),
    advisories: [advisory('lodash', {})],
    criteria: { advisory: { severity: 'high' } },
    because: /nobody gave a severity/,
  },
  'an advisory is broken, and what has a fix is asked for': {
    image: pushed(lodash),
    advisories: [
      advisory('lodash', {
        severity: high,
        affected: affected('lodash', range([{ introduced: '0' }, { fixed: 'not a version' }])),
      }),
    ],
    criteria: { advisory: { fixed: true, severity: 'high' } },
    because: /can’t be compared/,
  },
  'an advisory can’t be read, and names what is asked for': {
    image: pushed(lodash),
    advisories: [{ ...advisory('lodash'), aliases: ['CVE-2021-23337'], modified: 'lately' }],
    criteria: { advisory: { id: 'CVE-2021-23337' } },
    because: /can’t be compared/,
  },
  'advisories are cut off before they name a package': {
    image: pushed(lodash),
    advisories: [advisory('left-pad'), '{"id":"TEST-cut","modified":"2026-01-0'],
    criteria: anything,
    because: /can’t be read in part, and names no package/,
  },
  'no advisories of malicious packages were loaded': {
    image: pushed(lodash),
    advisories: [advisory('lodash')],
    criteria: { advisory: { malicious: true } },
    because: /no advisories of malicious packages were loaded/,
  },
  'nobody has told of the advisory': {
    image: pushed(lodash),
    advisories: [advisory('left-pad')],
    criteria: { advisory: { id: 'CVE-2021-23337' } },
    because: /no advisory CVE-2021-23337 was loaded/,
  },
  'an advisory does not say when it was published': {
    image: pushed(lodash),
    advisories: [advisory('lodash')],
    criteria: { advisory: { publishedSince: '2026-01-01' } },
    because: /does not say when it was published/,
  },
  'nobody gave a severity, nor a catalogue of exploited vulnerabilities': {
    image: pushed(lodash),
    advisories: [advisory('lodash', {})],
    criteria: { advisory: { severity: 'high', exploited: true } },
    because: /nobody gave a severity/,
  },
  'no catalogue of exploited vulnerabilities was loaded': {
    image: pushed(lodash),
    advisories: [advisory('lodash')],
    criteria: { advisory: { exploited: true } },
    because: /no catalogue of exploited vulnerabilities was loaded/,
  },
  'none was loaded, and what is not exploited is asked for': {
    image: pushed(lodash),
    advisories: [advisory('lodash')],
    criteria: { advisory: { exploited: false } },
    because: /no catalogue of exploited vulnerabilities was loaded/,
  },
  'a version can’t be compared': {
    image: pushed({ ...lodash, content: '{"name":"lodash","version":"ours-1"}' }),
    criteria: { package: { purl: 'pkg:npm/lodash', versions: '<1' } },
    because: /can’t be compared/,
  },
  'a base is not here': {
    image: pushed(lodash),
    criteria: { image: { base: `sha256:${'0'.repeat(64)}` } },
    because: /nothing here has the digest/,
  },
};

describeEngines('an image is unknown, never clean, where', (engines) => {
  test.each(Object.entries(cases))('%s', async (_, { image, advisories, criteria, because }) => {
    await using world = await inventoryWorld(engines);
    const id = await image(world);
    if (advisories)
      await world.import(
        advisories.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'),
      );
    const meets = async (asked: Criteria) => (await imageMeets(world.database, id, asked)).verdict;
    expect(await meets(criteria)).toBe('unknown');
    expect(await meets({ not: criteria })).toBe('unknown');
    expect(await meets({ any: [criteria, { file: { path: 'no/such/file' } }] })).toBe('unknown');
    const universe = await universeOfManifests(world.database, [id]);
    const { reasonOf } = await evaluate(world.database, criteria, { universe, scope: [id] });
    expect(reasonOf(0)).toMatch(because);
  });

  test('the first import of a source was cut off, until one comes to its end', async () => {
    await using world = await inventoryWorld(engines);
    const id = await pushed(lodash)(world);
    const because = async () => {
      const universe = await universeOfManifests(world.database, [id]);
      return (await evaluate(world.database, anything, { universe, scope: [id] })).reasonOf(0);
    };
    const many = Array.from({ length: 2_000 }, (_, at) => JSON.stringify(advisory(`left-pad-${at}`)));
    const whole = many.join('\n');
    const breaksOff = async () => {
      const half = (async function* () {
        yield Buffer.from(whole.slice(0, whole.length / 2));
        throw new Error('the client is gone');
      })();
      await expect(importFeed(world, { source: 'test', actor: 'jo', documents: half })).rejects.toThrow(
        'gone',
      );
    };
    await breaksOff();
    expect((await imageMeets(world.database, id, anything)).verdict).toBe('unknown');
    expect(await because()).toBe('the first import of test has not ended');
    expect((await feedStatusList(world.database.read))[0]).toMatchObject({ importedAt: null });
    await world.import(whole);
    expect((await imageMeets(world.database, id, anything)).verdict).toBe('noMatch');
    await breaksOff();
    expect((await imageMeets(world.database, id, anything)).verdict).toBe('noMatch');
  });

  test('nothing is unknown where all that is asked for was read', async () => {
    await using world = await inventoryWorld(engines);
    const id = await pushed(lodash)(world);
    await world.import(JSON.stringify(advisory('left-pad')));
    expect((await imageMeets(world.database, id, anything)).verdict).toBe('noMatch');
  });
});
