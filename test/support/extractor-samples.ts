import { dependencySection, elfOf, goInfo, machOOf, oldGoInfo, peOf } from './executables.ts';
import type { LayerEntry } from './layers.ts';
import { berkeleyDatabase, ndbDatabase, rpmHeader, sqliteDatabase } from './rpm-databases.ts';
import { jarOf, zipOf } from './zip.ts';

const rpmHeaders = ['a', 'b', 'c'].map((name, at) => rpmHeader({ name, epoch: at, ballast: 3_000 * at }));

/**
 * Per extractor, by its name, a layer's files in which it finds something: whole ones first of all, then odd ones. The
 * contract of extractors is tested with them as they are and with their bytes changed.
 */
export const extractorSamples: Readonly<Record<string, () => readonly LayerEntry[]>> = {
  apk: () => [
    {
      name: 'lib/apk/db/installed',
      text: 'C:Q1x=\nP:musl-utils\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nF:sbin\nR:ldconfig\n\nP:x\n\n',
    },
  ],
  composer: () => [
    {
      name: 'app/vendor/composer/installed.json',
      text: '{"packages":[{"name":"monolog/monolog","version":"2.1.0","license":["MIT"]},{"name":"x"}]}',
    },
    { name: 'old/vendor/composer/installed.json', text: '[{"name":"a/b","version":"v1.0.0"}]' },
  ],
  dpkg: () => [
    {
      name: 'var/lib/dpkg/status',
      text: 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nSource: bash (5.2)\nVersion: 5.2-1\n\nPackage: x\n',
    },
    { name: 'var/lib/dpkg/status.d/base', text: 'Package: base-files\nVersion: 12\nArchitecture: amd64\n' },
  ],
  'cargo-auditable': () => [
    {
      name: 'usr/bin/rg',
      bytes: elfOf([
        {
          name: '.dep-v0',
          bytes: dependencySection([{ name: 'regex', version: '1.5.4', source: 'crates.io' }]),
        },
      ]),
    },
  ],
  executable: () => [
    {
      name: 'bin/busybox',
      bytes: elfOf([{ name: '.rodata', bytes: Buffer.from('BusyBox v1.35.0 (2022)') }]),
    },
  ],
  go: () => {
    const modules = 'path\tm\nmod\texample.com/m\tv1.0.0\t\ndep\tgolang.org/x/sys\tv0.1.0\th1:x\n';
    return [
      { name: 'new', bytes: elfOf([{ name: '.go.buildinfo', bytes: goInfo({ modules }) }]) },
      {
        name: 'old',
        bytes: elfOf([{ name: '.data', bytes: oldGoInfo({ modules }, 0x400000), address: 0x400000 }], {
          stripped: true,
        }),
      },
      { name: 'new.exe', bytes: peOf(goInfo({ modules })) },
      { name: 'new-mac', bytes: machOOf('__go_buildinfo', goInfo({ modules })) },
    ];
  },
  java: () => [
    {
      name: 'opt/log4j-1.2.17.jar',
      bytes: jarOf(['log4j:log4j:1.2.17'], [{ name: 'A.class', text: 'class' }]),
    },
    {
      name: 'opt/shop.war',
      bytes: zipOf([{ name: 'WEB-INF/lib/a.jar', bytes: jarOf(['g:a:1']) }], { zip64: true }),
    },
  ],
  npm: () => [
    { name: 'app/node_modules/a/package.json', text: '{"name":"a","version":"1.0.0","license":"MIT"}' },
    {
      name: 'app/node_modules/@s/b/package.json',
      text: '{"name":"@s/b","version":"2.0.0","licenses":[{"type":"ISC"}]}',
    },
  ],
  nuget: () => [
    {
      name: 'app/shop.deps.json',
      text: '{"libraries":{"shop/1.0.0":{"type":"project"},"Newtonsoft.Json/12.0.1":{"type":"package"}}}',
    },
  ],
  'os-release': () => [
    { name: 'etc/os-release', text: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n' },
  ],
  pypi: () => [
    {
      name: 'usr/lib/python3/dist-packages/Django-3.2.dist-info/METADATA',
      text: 'Metadata-Version: 2.1\nName: Django\nVersion: 3.2\nLicense: BSD-3-Clause\n\nName: no\n',
    },
    { name: 'app/PyYAML-6.0.egg-info', text: 'Metadata-Version: 1.0\nName: PyYAML\nVersion: 6.0\n' },
  ],
  rpm: () => [
    { name: 'var/lib/rpm/rpmdb.sqlite', bytes: sqliteDatabase(rpmHeaders, { pageBytes: 512 }) },
    { name: 'usr/lib/sysimage/rpm/Packages.db', bytes: ndbDatabase(rpmHeaders) },
    { name: 'var/lib/rpm/Packages', bytes: berkeleyDatabase(rpmHeaders) },
    {
      name: 'var/lib/rpmmanifest/container-manifest-2',
      text: 'glibc\t2.35-3.cm2\t1\t1\tMicrosoft\t(none)\t9\tx86_64\t0\tglibc-2.35-3.cm2.src.rpm\n',
    },
  ],
  rubygems: () => [
    {
      name: 'usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec',
      text: '# stub: json 2.6.1 ruby lib\n\nGem::Specification.new do |s|\n  s.licenses = ["Ruby".freeze]\nend\n',
    },
    {
      name: 'var/lib/gems/specifications/a-1.gemspec',
      text: 'Gem::Specification.new do |s|\n  s.name = "a"\n  s.version = "1"\nend\n',
    },
  ],
};
