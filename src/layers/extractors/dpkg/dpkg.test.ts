import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { readLayer } from '../../read-layer.ts';
import { osRelease } from '../os-release/os-release.ts';
import { dpkg } from './dpkg.ts';
import { parseStatusFile } from './status-file.ts';

const statusPath = '/var/lib/dpkg/status';
const dpkgQuery = '/usr/bin/dpkg-query';

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [dpkg, osRelease], clock: new ManualClock() });
}

const stanza = (fields: Readonly<Record<string, string>>) =>
  `${Object.entries({ Status: 'install ok installed', Version: '1', Architecture: 'amd64', ...fields })
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}\n`;
const status = (text: string): LayerEntry => ({ name: 'var/lib/dpkg/status', text });

describe('a dpkg database', () => {
  test('names package, version, source and architecture', async () => {
    const found = await inspect([
      status(
        stanza({ Package: 'libstdc++6', Source: 'gcc-12 (12.2.0-14)', Version: '12.2.0-14+deb12u1' }) +
          stanza({ Package: 'login', Source: 'shadow', Version: '1:4.13+dfsg1-1~bpo' }) +
          stanza({ Package: 'tzdata', Architecture: 'all' }),
      ),
    ]);
    const at = { ecosystem: 'Debian', path: 'var/lib/dpkg/status', extractor: 'dpkg' };
    expect(found.packages).toEqual([
      {
        ...at,
        purl: 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14+deb12u1?arch=amd64',
        name: 'libstdc++6',
        version: '12.2.0-14+deb12u1',
        sourceName: 'gcc-12',
        sourceVersion: '12.2.0-14',
      },
      {
        ...at,
        purl: 'pkg:deb/debian/login@1:4.13+dfsg1-1~bpo?arch=amd64',
        name: 'login',
        version: '1:4.13+dfsg1-1~bpo',
        sourceName: 'shadow',
        sourceVersion: '1:4.13+dfsg1-1~bpo',
      },
      {
        ...at,
        purl: 'pkg:deb/debian/tzdata@1?arch=all',
        name: 'tzdata',
        version: '1',
        sourceName: 'tzdata',
        sourceVersion: '1',
      },
    ]);
    expect(found.extractions[0]?.state).toBe('done');
  });

  test.each([
    ['ubuntu', 'Ubuntu:22.04:LTS'],
    ['raspbian', ''],
  ])(
    'in a layer of %s is of that distribution, wherever in the layer its os-release is',
    async (id, ecosystem) => {
      const os: LayerEntry = { name: 'usr/lib/os-release', text: `ID=${id}\nVERSION_ID="22.04"\n` };
      const database = status(stanza({ Package: 'bash' }));
      for (const entries of [
        [os, database],
        [database, os],
      ])
        expect((await inspect(entries)).packages).toMatchObject([
          { purl: `pkg:deb/${id}/bash@1?arch=amd64&distro=${id}-22.04`, ecosystem },
        ]);
    },
  );

  test('of one file per package needs no status', async () => {
    const found = await inspect([
      { name: 'var/lib/dpkg/status.d/base', text: 'Package: base-files\nVersion: 12\nArchitecture: amd64\n' },
      { name: 'var/lib/dpkg/status.d/base.md5sums', text: 'd41d8cd9  etc/x\n' },
    ]);
    expect(found.packages).toMatchObject([{ name: 'base-files', path: 'var/lib/dpkg/status.d/base' }]);
  });

  test('with a broken stanza keeps the others and is unknown', async () => {
    const found = await inspect([
      status(
        `${stanza({ Package: 'a' })}Package: broken\nStatus: install ok installed\n\n${stanza({ Package: 'b' })}`,
      ),
    ]);
    expect(found.packages.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(found.extractions[0]).toMatchObject({
      state: 'unknown',
      reason: 'var/lib/dpkg/status: package broken has no version',
    });
  });
});

describe('the copyright file of a package', () => {
  const licencesOf = async (...copyrights: readonly (readonly [string, string])[]) => {
    const { packages, extractions } = await inspect([
      ...copyrights.map(([name, text]) => ({ name: `usr/share/doc/${name}/copyright`, text })),
      status(stanza({ Package: 'a' }) + stanza({ Package: 'b', 'Multi-Arch': 'same' })),
    ]);
    expect(extractions[0]).toMatchObject({ state: 'done' });
    return packages.map(({ license }) => license);
  };
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';

  test('names its licences, those of all files first, each once', async () => {
    const text = [
      `${format}Upstream-Name: a\n`,
      'Files: debian/*\nCopyright: me\nLicense: GPL-2+\n the text\n .\n of it\n',
      'Files: *\nCopyright: 2020 us\nLicense: Expat\n',
      'Files: x\n y\nCopyright: they\nLicense: GPL-1+ or Artistic\n',
      'Files: z\nCopyright: they\nLicense: Expat\n',
      'License: GPL-1+\n the text\n',
    ].join('\n');
    expect(await licencesOf(['a', text])).toEqual(['Expat and GPL-2+ and (GPL-1+ or Artistic)', undefined]);
  });

  test('says nothing as free text, as a link, or without a licence of files', async () => {
    expect(await licencesOf(['a', 'This is free software.\n\nLicense: GPL-2\n'], ['b', format])).toEqual([
      undefined,
      undefined,
    ]);
    const link = { name: 'usr/share/doc/a/copyright', type: 'symlink', linkname: '../b/copyright' } as const;
    const { packages, extractions } = await inspect([link, status(stanza({ Package: 'a' }))]);
    expect(packages[0]?.license).toBeUndefined();
    expect(extractions[0]?.state).toBe('done');
  });

  test('says that there are more licences than are kept of it', async () => {
    const stanzas = Array.from(
      { length: 100 },
      (_, at) => `Files: f${at}\nCopyright: x\nLicense: own-${at}\n`,
    );
    const [license] = await licencesOf(['a', [format, ...stanzas].join('\n')]);
    expect(license).toMatch(/^own-0 and own-1 and .* and own-63 and 36 more$/);
  });
});

/** As `dpkg-query -W` prints it; the name is qualified where it would be ambiguous. */
function asPrinted(text: string): string[] {
  const { packages } = parseStatusFile(text);
  const native = packages.find(({ name }) => name === 'dpkg')?.architecture ?? 'amd64';
  return packages
    .filter(({ state }) => state !== undefined && state !== 'not-installed')
    .map(({ name, version, architecture, multiArchSame }) => {
      const qualified = multiArchSame || (architecture !== 'all' && architecture !== native);
      return `${name}${qualified ? `:${architecture}` : ''}\t${version}`;
    })
    .sort();
}

function query(folder: string): string[] {
  const output = execFileSync(dpkgQuery, [`--admindir=${folder}`, '-W'], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return output.trimEnd().split('\n').sort();
}

describe.skipIf(!existsSync(dpkgQuery))('against the real dpkg-query (skipped where there is none)', () => {
  test.skipIf(!existsSync(statusPath))("this machine's database reads as it is printed", async () => {
    const text = await readFile(statusPath, 'utf8');
    expect(asPrinted(text)).toEqual(query('/var/lib/dpkg'));
    const found = await inspect([status(text)]);
    const installed = parseStatusFile(text).packages.filter(({ state }) => state !== 'config-files');
    const line = (item: { name: string; version: string }) => `${item.name} ${item.version}`;
    expect(found.packages.map(line)).toEqual(installed.map(line));
  });

  test('packages in every state, of two architectures, read as printed, those removed apart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-dpkg-'));
    try {
      const states: Readonly<Record<string, Readonly<Record<string, string>>>> = {
        'not-installed': {},
        'config-files': {},
        'half-installed': {},
        unpacked: {},
        'half-configured': {},
        'triggers-awaited': { 'Triggers-Awaited': 'other' },
        'triggers-pending': { 'Triggers-Pending': 'x' },
        installed: {},
      };
      const common = { Maintainer: 'x <x@example.org>', Description: 'x' };
      const every = ['install', 'hold', 'deinstall', 'purge'].flatMap((want) =>
        Object.entries(states).map(([state, extra]) =>
          stanza({ Package: `${want}-${state}`, Status: `${want} ok ${state}`, ...extra, ...common }),
        ),
      );
      const text = [
        ...every,
        stanza({ Package: 'same', 'Multi-Arch': 'same', Version: '1:2-3', ...common }),
        stanza({ Package: 'same', 'Multi-Arch': 'same', Version: '1:2-3', Architecture: 'i386', ...common }),
        stanza({ Package: 'foreign', Architecture: 'i386', ...common }),
      ].join('');
      await mkdir(join(folder, 'info'));
      await mkdir(join(folder, 'updates'));
      await writeFile(join(folder, 'status'), text);
      await writeFile(join(folder, 'arch'), 'amd64\ni386\n');
      expect(asPrinted(text)).toEqual(query(folder));
      const names = (await inspect([status(text)])).packages.map(({ name }) => name);
      expect(names).toContain('deinstall-half-installed');
      expect(names.filter((name) => /not-installed|config-files/.test(name))).toEqual([]);
      expect(names).toHaveLength(4 * 6 + 3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
