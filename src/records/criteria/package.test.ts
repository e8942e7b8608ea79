import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { elfOf, goInfo } from '../../../test/support/executables.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { rpmHeader, sqliteDatabase } from '../../../test/support/rpm-databases.ts';
import { jarOf } from '../../../test/support/zip.ts';
import { packageLeaf } from './package.ts';

const os = (id: string) => ({ path: 'etc/os-release', content: `ID=${id}\nVERSION_ID="9.0"\n` });
const rpms = {
  path: 'var/lib/rpm/rpmdb.sqlite',
  content: sqliteDatabase([rpmHeader({ name: 'curl', epoch: 1, version: '7.76', release: '1.el9' })]),
};
const apks = { path: 'lib/apk/db/installed', content: 'P:curl\nV:8.1-r0\nA:x86_64\n' };
const packages = [
  {
    path: 'app/vendor/composer/installed.json',
    content: '[{"name":"Laravel/Framework","version":"v8.0.0"}]',
  },
  { path: 'app/zope.interface-5.0.dist-info/METADATA', content: 'Name: zope.interface\nVersion: 5.0\n' },
  { path: 'app/a.deps.json', content: '{"libraries":{"Newtonsoft.Json/12.0.1":{"type":"package"}}}' },
  {
    path: 'app/server',
    content: elfOf([
      {
        name: '.go.buildinfo',
        bytes: goInfo({ modules: 'path\tm\ndep\tgithub.com/BurntSushi/toml\tv0.3.1\n' }),
      },
    ]),
  },
  { path: 'app/a.jar', content: jarOf(['org.example:a:1.0']) },
  { path: 'specifications/rack-2.gemspec', content: '# stub: rack 2 ruby lib\n' },
];

describeEngines('package criteria', (engines) => {
  it('find packages of every kind by the names that people write', async () => {
    await using world = await inventoryWorld(engines);
    const push = async (files: Parameters<typeof buildLayer>[0]) =>
      world.push({ layers: [await buildLayer(files)] });
    const alma = await push([os('almalinux'), rpms]);
    const rocky = await push([os('rocky'), rpms]);
    const alpine = await push([os('alpine'), apks]);
    const app = await push(packages);
    await world.drain();
    const found = async (purl: string) => {
      const leaf = await packageLeaf({ package: { purl } }, { database: world.database, scope: undefined });
      const rows = await world.database.search(leaf.matches);
      return rows.map((row) => row.manifest_id).sort((a, b) => a - b);
    };
    const table: Readonly<Record<string, number[]>> = {
      'pkg:rpm/curl': [alma, rocky],
      'pkg:rpm/almalinux/curl': [alma],
      'pkg:rpm/rocky/curl@7.76-1.el9': [rocky],
      'pkg:rpm/curl@1:7.76-1.el9': [alma, rocky],
      'pkg:rpm/curl@76-1.el9': [],
      'pkg:rpm/fedora/curl': [],
      'pkg:apk/curl': [alpine],
      'pkg:apk/alpine/curl@8.1-r0': [alpine],
      'pkg:deb/curl': [],
      'pkg:composer/laravel/framework': [app],
      'pkg:pypi/Zope_Interface': [app],
      'pkg:nuget/newtonsoft.json': [app],
      'pkg:gem/rack@2': [app],
      'pkg:golang/stdlib@1.19.8': [app],
      'pkg:golang/github.com/BurntSushi/toml@v0.3.1': [app],
      'pkg:golang/github.com/burntsushi/toml': [app],
      'pkg:maven/org.example/a': [app],
      'pkg:maven/a/org.example': [],
    };
    for (const [purl, images] of Object.entries(table))
      expect([purl, await found(purl)]).toEqual([purl, images]);
  });

  it('find packages by globs of their names, which may hold what SQL takes for something else', async () => {
    await using world = await inventoryWorld(engines);
    const names = ['JSONStream', '@babel/core', 'a_b', 'axb', 'core', '100%', 'Émile'];
    const ids = new Map<string, number>();
    for (const name of names) {
      const path = `node_modules/${name}/package.json`;
      const content = JSON.stringify({ name, version: '1.0.0' });
      ids.set(name, await world.push({ layers: [await buildLayer([{ path, content }])] }));
    }
    await world.drain();
    const table: Readonly<Record<string, string[]>> = {
      'json*': ['JSONStream'],
      '*STREAM': ['JSONStream'],
      '@*/core': ['@babel/core'],
      '**/core': ['@babel/core', 'core'],
      '{core,a?b}': ['a_b', 'axb', 'core'],
      a_b: ['a_b'],
      'a_*': ['a_b'],
      '*0%': ['100%'],
      '*0*%*': ['100%'],
      '\\a*b': ['a_b', 'axb'],
      'É*': ['Émile'],
      '*a*b*c*d*': [],
      '*b*a*x*e*l*/*': [],
      '*b*a*b*l*/*': ['@babel/core'],
    };
    for (const [name, expected] of Object.entries(table)) {
      const context = { database: world.database, scope: undefined };
      const leaf = await packageLeaf({ package: { type: 'npm', name } }, context);
      const found = (await world.database.search(leaf.matches)).map((row) => row.manifest_id);
      const named = names.filter((each) => found.includes(ids.get(each) ?? -1));
      expect([name, named]).toEqual([name, expected]);
    }
  });

  it('compare by the rules of each ecosystem; a version that these cannot read makes an image unknown', async () => {
    await using world = await inventoryWorld(engines);
    const push = async (files: Parameters<typeof buildLayer>[0]) =>
      world.push({ layers: [await buildLayer(files)] });
    const rocky = await push([os('rocky'), rpms]);
    const alpine = await push([os('alpine'), apks]);
    const app = await push(packages);
    const odd = await push([
      {
        path: 'app/zope.interface-5.0.dist-info/METADATA',
        content: 'Name: zope.interface\nVersion: 5.x-ours\n',
      },
    ]);
    await world.drain();
    const asked = async (purl: string, versions: string) => {
      const leaf = await packageLeaf(
        { package: { purl, versions } },
        { database: world.database, scope: undefined },
      );
      const rows = async (query: typeof leaf.matches | undefined) =>
        query === undefined
          ? []
          : (await world.database.search(query)).map((row) => row.manifest_id).sort((a, b) => a - b);
      return [await rows(leaf.matches), await rows(leaf.unknowns[0]?.images)];
    };
    const table: readonly (readonly [string, string, number[], number[]])[] = [
      ['pkg:rpm/curl', 'vers:rpm/<1:7.76-10', [rocky], []],
      ['pkg:rpm/curl', '<9.9', [], []],
      ['pkg:apk/curl', 'vers:apk/<8.1-r1', [alpine], []],
      ['pkg:apk/curl', '<8.1_rc1', [], []],
      ['pkg:composer/laravel/framework', '<8.0.1', [app], []],
      ['pkg:nuget/newtonsoft.json', 'vers:nuget/>=12.0|<12.0.1.1', [app], []],
      ['pkg:gem/rack', '<2.0.0', [], []],
      ['pkg:gem/rack', '>2.0.0.pre', [app], []],
      ['pkg:pypi/zope-interface', 'vers:pypi/<5.1rc1', [app], [odd]],
      ['pkg:pypi/zope-interface', '>5.0', [], [odd]],
      ['pkg:pypi/zope-interface', '*', [app, odd], []],
    ];
    for (const [purl, versions, ...images] of table)
      expect([purl, versions, ...(await asked(purl, versions))]).toEqual([purl, versions, ...images]);
  });
});
