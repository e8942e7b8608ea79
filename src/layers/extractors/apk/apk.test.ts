import { describe, expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { readLayer } from '../../read-layer.ts';
import { osRelease } from '../os-release/os-release.ts';
import { apk } from './apk.ts';

async function inspect(entries: readonly LayerEntry[]) {
  const source = inChunks(await tarOf(entries));
  return readLayer(source, { extractors: [apk, osRelease], clock: new ManualClock() });
}

/** As apk writes it: every field of a package, then its folders and files. */
const database = `C:Q1wYn5KTrSJvJqIbYL9WRiLJEnvcI=
P:alpine-baselayout
V:3.4.3-r1
A:x86_64
S:8911
I:331776
T:Alpine base dir structure and init scripts
U:https://git.alpinelinux.org/cgit/aports/tree/main/alpine-baselayout
L:GPL-2.0-only
o:alpine-baselayout
m:Natanael Copa <ncopa@alpinelinux.org>
t:1683642107
c:65502ca9379dd29d1ac4b0bf0dcf03a3dd1b324a
D:alpine-baselayout-data=3.4.3-r1 /bin/sh
q:1000
F:dev
F:dev/pts
F:etc
R:motd
Z:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=

C:Q1Lj5gSYRcOWVjVMsYuGz8xPgC1EE=
P:libcrypto3
V:3.1.3-r0
A:x86_64
L:Apache-2.0
o:openssl
F:lib
a:0:0:755
R:libcrypto.so.3
a:0:0:755
Z:Q1xxx=

P:.build-deps
V:20240102.030405
A:noarch
S:0

`;

const at = (text: string, name = 'lib/apk/db/installed'): LayerEntry => ({ name, text });
const alpine = (version: string): LayerEntry => ({
  name: 'etc/os-release',
  text: `ID=alpine\nVERSION_ID=${version}\n`,
});

describe('an apk database', () => {
  test('names package, version, origin, architecture and licence', async () => {
    const found = await inspect([at(database), alpine('3.18.4')]);
    const common = { ecosystem: 'Alpine:v3.18', path: 'lib/apk/db/installed', extractor: 'apk' };
    expect(found.packages).toEqual([
      {
        ...common,
        purl: 'pkg:apk/alpine/alpine-baselayout@3.4.3-r1?arch=x86_64&distro=alpine-3.18.4',
        name: 'alpine-baselayout',
        version: '3.4.3-r1',
        sourceName: 'alpine-baselayout',
        sourceVersion: '3.4.3-r1',
        license: 'GPL-2.0-only',
      },
      {
        ...common,
        purl: 'pkg:apk/alpine/libcrypto3@3.1.3-r0?arch=x86_64&distro=alpine-3.18.4',
        name: 'libcrypto3',
        version: '3.1.3-r0',
        sourceName: 'openssl',
        sourceVersion: '3.1.3-r0',
        license: 'Apache-2.0',
      },
      {
        ...common,
        purl: 'pkg:apk/alpine/.build-deps@20240102.030405?arch=noarch&distro=alpine-3.18.4',
        name: '.build-deps',
        version: '20240102.030405',
        sourceName: '.build-deps',
        sourceVersion: '20240102.030405',
      },
    ]);
    expect(found.extractions[0]?.state).toBe('done');
  });

  test("is Alpine's where the layer does not say whose, and Wolfi's where it says so", async () => {
    const one = 'P:a\nV:1-r0\n';
    expect((await inspect([at(one)])).packages).toMatchObject([
      { purl: 'pkg:apk/alpine/a@1-r0', ecosystem: 'Alpine' },
    ]);
    const wolfi: LayerEntry = { name: 'etc/os-release', text: 'ID=wolfi\nVERSION_ID="20230201"\n' };
    expect((await inspect([wolfi, at(one, 'usr/lib/apk/db/installed')])).packages).toMatchObject([
      { purl: 'pkg:apk/wolfi/a@1-r0?distro=wolfi-20230201', ecosystem: 'Wolfi' },
    ]);
  });

  test('with a broken stanza keeps the others and is unknown', async () => {
    const found = await inspect([at('P:a\nV:1-r0\n\nP:b\n\nV:1-r0\n\nP:c\nV:1-r0\r\n')]);
    expect(found.packages.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(found.extractions[0]).toMatchObject({
      state: 'unknown',
      reason: 'lib/apk/db/installed: package b has no version',
    });
  });

  test('that lists nothing is empty', async () => {
    const found = await inspect([at('')]);
    expect(found.packages).toEqual([]);
    expect(found.extractions[0]?.state).toBe('done');
  });
});
