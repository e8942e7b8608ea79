import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import {
  berkeleyDatabase,
  ndbDatabase,
  rpmHeader,
  sqliteDatabase,
} from '../../../../test/support/rpm-databases.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { limits } from '../../../lib/limits.ts';
import { contentOf } from '../../file-content.ts';
import { readLayer } from '../../read-layer.ts';
import { osRelease } from '../os-release/os-release.ts';
import { rpm } from './rpm.ts';

const sqlitePath = 'var/lib/rpm/rpmdb.sqlite';
const ndbPath = 'usr/lib/sysimage/rpm/Packages.db';
const berkeleyPath = 'var/lib/rpm/Packages';
const formats = [
  [sqlitePath, sqliteDatabase],
  [ndbPath, ndbDatabase],
  [berkeleyPath, berkeleyDatabase],
] as const;

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [rpm, osRelease], clock: new ManualClock() });
}

function extract(path: string, bytes: Uint8Array) {
  const entry = { path, kind: 'file', sizeBytes: bytes.length, mode: 0o644 } as const;
  return rpm.extract(entry, contentOf(bytes, limits));
}

const namesIn = (found: { readonly packages?: readonly { readonly name: string }[] }) =>
  found.packages?.map(({ name }) => name);

describe.each(formats)('%s', (path, databaseOf) => {
  test('names packages, their versions with epoch, sources, architectures and licences', async () => {
    const bytes = databaseOf([
      rpmHeader({
        name: 'openssl-libs',
        epoch: 1,
        version: '3.0.1',
        release: '23.el9_0',
        architecture: 'x86_64',
        source: 'openssl-3.0.1-23.el9_0.src.rpm',
        license: 'ASL 2.0',
      }),
      rpmHeader({ name: 'java-17', version: '17.0.2~rc1', release: '2', epoch: 0, source: '' }),
    ]);
    const found = await inspect([
      { name: path, bytes },
      { name: 'etc/os-release', text: 'ID="almalinux"\nVERSION_ID="9.0"\n' },
    ]);
    const at = { ecosystem: 'AlmaLinux:9', path, extractor: 'rpm' };
    expect(found.packages).toEqual([
      {
        ...at,
        purl: 'pkg:rpm/almalinux/openssl-libs@3.0.1-23.el9_0?arch=x86_64&distro=almalinux-9.0&epoch=1',
        name: 'openssl-libs',
        version: '1:3.0.1-23.el9_0',
        sourceName: 'openssl',
        sourceVersion: '1:3.0.1-23.el9_0',
        license: 'ASL 2.0',
      },
      {
        ...at,
        purl: 'pkg:rpm/almalinux/java-17@17.0.2~rc1-2?arch=noarch&distro=almalinux-9.0',
        name: 'java-17',
        version: '17.0.2~rc1-2',
        license: 'MIT',
      },
    ]);
    expect(found.extractions[0]?.state).toBe('done');
  });

  test('reads headers of every size, and leaves out keys', () => {
    const sizes = [0, 100, 3_000, 4_060, 4_070, 4_080, 8_200, 70_000, 1_000_000];
    const headers = [
      ...sizes.map((ballast) => rpmHeader({ name: `p${ballast}`, ballast })),
      rpmHeader({ name: 'gpg-pubkey', architecture: '(none)', source: '' }),
    ];
    const found = extract(path, databaseOf(headers));
    expect(namesIn(found)).toEqual(sizes.map((ballast) => `p${ballast}`));
    expect(found.problem).toBeUndefined();
  });

  test('with a header that is broken keeps the others and is unknown', () => {
    const broken = rpmHeader({ name: 'b' });
    broken.writeUInt32BE(0x00ffffff, 0);
    const bytes = databaseOf([rpmHeader({ name: 'a' }), broken, rpmHeader({ name: 'c' })]);
    expect(namesIn(extract(path, bytes))).toEqual(['a', 'c']);
    expect(extract(path, bytes).problem).toMatch(/^a header of \d+ bytes that says it has 16777215 entries/);
  });

  test('cut off anywhere is unknown, and what came before is there', () => {
    const headers = Array.from({ length: 20 }, (_, at) => rpmHeader({ name: `p${at}`, ballast: 9_000 }));
    const whole = databaseOf(headers);
    for (let end = 1; end < whole.length; end += 4_001) {
      const found = extract(path, whole.subarray(0, end));
      expect(found.problem).toBeDefined();
      expect(found.packages?.length).toBeLessThan(headers.length);
    }
    expect(extract(path, whole.subarray(0, whole.length - 9_500)).packages?.length).toBeGreaterThan(10);
  });

  test('that has just been made holds nothing', () => {
    expect(extract(path, Buffer.alloc(0))).toEqual({});
    expect(extract(path, databaseOf([]))).toEqual({ packages: [] });
  });

  test('that is something else is unknown', () => {
    expect(extract(path, Buffer.alloc(8_192, 'x')).problem).toMatch(/^it is no /);
  });
});

describe('of many packages', () => {
  const headers = Array.from({ length: 400 }, (_, at) => rpmHeader({ name: `p${at}`, ballast: at * 10 }));

  test.each([512, 4_096, 65_536])('SQLite reads the same with pages of %d bytes', (pageBytes) => {
    const found = extract(sqlitePath, sqliteDatabase(headers, { pageBytes }));
    expect(namesIn(found)).toEqual(headers.map((_, at) => `p${at}`));
    expect(found.problem).toBeUndefined();
  });

  test('Berkeley DB reads the same of either byte order, and from the page itself', () => {
    const few = headers.slice(0, 10);
    const names = few.map((_, at) => `p${at}`);
    expect(namesIn(extract(berkeleyPath, berkeleyDatabase(few, { bigEndian: true })))).toEqual(names);
    expect(namesIn(extract(berkeleyPath, berkeleyDatabase(few, { inPage: true })))).toEqual(names);
  });
});

describe('made to keep the reader busy', () => {
  test('a chain of pages that comes back to itself ends', () => {
    const bytes = berkeleyDatabase([rpmHeader({ name: 'a', ballast: 20_000 })]);
    // The third page of the chain goes on with the second.
    bytes.writeUInt32LE(3, 4 * 4_096 + 16);
    expect(extract(berkeleyPath, bytes)).toEqual({ packages: [], problem: expect.any(String) });
    bytes.writeUInt32LE(500_000_000, 4_096 + bytes.readUInt16LE(4_096 + 26 + 6) + 8);
    expect(extract(berkeleyPath, bytes).problem).toBe(
      `a header of 500000000 bytes; at most ${limits.rpmHeaderBytesMax} are read`,
    );
  });

  test('many items that are one chain are read no more often than the file is long', () => {
    const header = rpmHeader({ name: 'a', ballast: 100_000 });
    const bytes = berkeleyDatabase([header, ...Array.from({ length: 100 }, () => rpmHeader({ name: 'b' }))]);
    const hash = bytes.subarray(4_096, 8_192);
    for (let at = 5; at <= 201; at += 2)
      hash.copy(
        hash,
        hash.readUInt16LE(26 + 2 * at),
        hash.readUInt16LE(26 + 6),
        hash.readUInt16LE(26 + 6) + 12,
      );
    const found = extract(berkeleyPath, bytes);
    expect(found.problem).toBe('its headers overlap');
    expect(found.packages?.length).toBeLessThan(10);
  });

  test('a tree whose pages are their own children ends', () => {
    const headers = Array.from({ length: 400 }, (_, at) => rpmHeader({ name: `p${at}` }));
    const bytes = sqliteDatabase(headers, { pageBytes: 512 });
    const interior = Array.from({ length: bytes.length / 512 }, (_, at) => at).filter(
      (page) => page > 0 && bytes[page * 512] === 0x05,
    );
    for (const page of interior) bytes.writeUInt32BE(page + 1, page * 512 + 8);
    expect(extract(sqlitePath, bytes).problem).toBe('its pages go round in circles');
  });

  test('slots that say there are more of them than bytes end', () => {
    const bytes = ndbDatabase([rpmHeader({ name: 'a' })]);
    bytes.writeUInt32LE(0xffffffff, 12);
    expect(namesIn(extract(ndbPath, bytes))).toEqual(['a']);
    expect(extract(ndbPath, bytes).problem).toBeDefined();
  });

  test('a name without end is none', () => {
    const long = rpmHeader({ name: 'x'.repeat(limits.rpmTextBytesMax + 1) });
    expect(extract(ndbPath, ndbDatabase([long, rpmHeader({ name: 'a' })]))).toMatchObject({
      packages: [{ name: 'a' }],
      problem: 'a header without a name, or with one that is too long',
    });
  });

  test('a table Packages that is none is not looked into', () => {
    const bytes = sqliteDatabase([rpmHeader({ name: 'a' })]);
    const at = bytes.indexOf('tablePackages');
    bytes.write('views', at);
    expect(extract(sqlitePath, bytes).problem).toBe('it has no table Packages');
  });
});

test('changes that are in the write-ahead log only make the result unknown; an empty log is usual', async () => {
  const database: LayerEntry = { name: sqlitePath, bytes: sqliteDatabase([rpmHeader({ name: 'a' })]) };
  const usual = await inspect([database, { name: `${sqlitePath}-wal`, text: '' }]);
  expect(usual.extractions[0]?.state).toBe('done');
  const changed = await inspect([database, { name: `${sqlitePath}-wal`, text: 'x' }]);
  expect(changed.extractions[0]).toMatchObject({
    state: 'unknown',
    reason: `${sqlitePath}-wal: changes that are not in the database yet, and are not read`,
  });
  expect(namesIn(changed)).toEqual(['a']);
});

test('what Azure Linux leaves of the database reads the same', async () => {
  const path = 'var/lib/rpmmanifest/container-manifest-2';
  const lines = [
    'openssl-libs\t1.1.1k-21.cm2\t1\t1\tMicrosoft Corporation\t(none)\t9\tx86_64\t0\topenssl-1.1.1k-21.cm2.src.rpm',
    'openssl-libs 1.1.1k-21.cm2',
    'shadow\t4.9-12.cm2\t1\t1\tMicrosoft Corporation\t2\t9\tx86_64\t2\tshadow-utils-4.9-12.cm2.src.rpm',
  ];
  const found = await inspect([
    { name: path, text: `${lines.join('\n')}\n` },
    { name: 'etc/os-release', text: 'ID=mariner\nVERSION_ID="2.0"\n' },
  ]);
  const at = { ecosystem: 'Azure Linux:2', path, extractor: 'rpm' };
  expect(found.packages).toEqual([
    {
      ...at,
      purl: 'pkg:rpm/mariner/openssl-libs@1.1.1k-21.cm2?arch=x86_64&distro=mariner-2.0',
      name: 'openssl-libs',
      version: '1.1.1k-21.cm2',
      sourceName: 'openssl',
      sourceVersion: '1.1.1k-21.cm2',
    },
    {
      ...at,
      purl: 'pkg:rpm/mariner/shadow@4.9-12.cm2?arch=x86_64&distro=mariner-2.0&epoch=2',
      name: 'shadow',
      version: '2:4.9-12.cm2',
      sourceName: 'shadow-utils',
      sourceVersion: '2:4.9-12.cm2',
    },
  ]);
  expect(found.extractions[0]).toMatchObject({
    state: 'unknown',
    reason: `${path}: a line that names no package with a version`,
  });
});

test('a slot of ndb is free when it says no block, and broken when it says no package', () => {
  const [second, packageAt, blockAt] = [32 + 16, 4, 8];
  const changed = (at: number) => {
    const bytes = ndbDatabase(['a', 'b', 'c'].map((name) => rpmHeader({ name })));
    bytes.writeUInt32LE(0, second + at);
    return extract(ndbPath, bytes);
  };
  expect(namesIn(changed(blockAt))).toEqual(['a', 'c']);
  expect(changed(blockAt).problem).toBeUndefined();
  expect(namesIn(changed(packageAt))).toEqual(['a']);
  expect(changed(packageAt).problem).toContain('slot 0');
});

test('files of other names in the same folders are of no interest', () => {
  const wants = (path: string) => rpm.wants({ path, kind: 'file', sizeBytes: 1, mode: 0o644 });
  for (const path of ['var/lib/rpm/Basenames', 'var/lib/rpm/.rpm.lock', 'srv/var/lib/rpm/Packages'])
    expect(wants(path)).toBe(false);
});

const rpmbuild = '/usr/bin/rpmbuild';

describe.skipIf(!existsSync(rpmbuild))('against the real rpm (skipped where there is none)', () => {
  const query = (folder: string, ...options: readonly string[]) => {
    const format = '%{NAME} %{EPOCHNUM} %{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM} %{LICENSE}\\n';
    const all = [...options, '--dbpath', folder, '-qa', '--qf', format];
    const printed = execFileSync('/usr/bin/rpm', all, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return printed.trimEnd().split('\n').sort();
  };
  const asPrinted = (path: string, bytes: Uint8Array) => {
    const { packages = [], problem } = extract(path, bytes);
    expect(problem).toBeUndefined();
    return packages
      .map(({ purl, name, version, sourceName, sourceVersion = '', license }) => {
        const [, epoch = '0', evr] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
        const source = `${sourceName}-${sourceVersion.replace(/^\d+:/, '')}.src.rpm`;
        return `${name} ${epoch} ${evr} ${/arch=([^&]+)/.exec(purl)?.[1]} ${source} ${license}`;
      })
      .sort();
  };

  test('packages that rpm has built and installed read as `rpm -qa` prints them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-rpm-'));
    try {
      const part = (name: string, fields: string) =>
        `%package -n ${name}\nSummary: x\n${fields}%description -n ${name}\nx\n%files -n ${name}\n`;
      const parts = Array.from({ length: 30 }, (_, at) => part(`part${at}`, `License: L${at}\n`));
      const spec = `Name: demo\nEpoch: 1\nVersion: 3.0.1\nRelease: 23.el9_0\nSummary: x\nLicense: ASL 2.0
BuildArch: noarch\n%description\nx\n%files
${part('demo-libs', 'Version: 2.0~rc1^git1\nLicense: zlib and Boost\n')}${part('zero', 'Epoch: 0\n')}${parts.join('')}`;
      await writeFile(join(folder, 'demo.spec'), spec);
      const stdio = 'ignore';
      execFileSync(rpmbuild, ['-bb', '--define', `_topdir ${folder}/build`, join(folder, 'demo.spec')], {
        stdio,
      });
      const installed = join(folder, 'db');
      const files = [
        'demo-3.0.1',
        'demo-libs-2.0~rc1^git1',
        'zero-3.0.1',
        ...parts.map((_, at) => `part${at}-3.0.1`),
      ];
      const paths = files.map((name) => `${folder}/build/RPMS/noarch/${name}-23.el9_0.noarch.rpm`);
      const install = [
        '--dbpath',
        installed,
        '--justdb',
        '--nodeps',
        '--ignorearch',
        '--noscripts',
        '-i',
        ...paths,
      ];
      execFileSync('/usr/bin/rpm', install, { stdio });
      const printed = asPrinted(sqlitePath, await readFile(join(installed, 'rpmdb.sqlite')));
      expect(printed).toEqual(query(installed));
      expect(printed).toHaveLength(33);
      expect(printed[0]).toBe('demo 1 3.0.1-23.el9_0 noarch demo-3.0.1-23.el9_0.src.rpm ASL 2.0');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a Berkeley DB reads as rpm reads it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-rpm-'));
    try {
      const headers = Array.from({ length: 20 }, (_, at) =>
        rpmHeader({ name: `p${at}`, epoch: at % 3, ballast: at * 1_000, version: `${at}.1` }),
      );
      const bytes = berkeleyDatabase(headers);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'Packages'), bytes);
      const printed = asPrinted(berkeleyPath, bytes);
      expect(printed).toEqual(query(folder, '--define', '_db_backend bdb_ro'));
      expect(printed).toHaveLength(20);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
