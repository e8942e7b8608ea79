import { expect, test } from 'vitest';
import { inChunks, type LayerEntry, tarOf } from '../../../../test/support/layers.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { readLayer } from '../../read-layer.ts';
import { osRelease, parseOsRelease } from './os-release.ts';

async function inspect(entries: readonly LayerEntry[]) {
  return readLayer(inChunks(await tarOf(entries)), { extractors: [osRelease], clock: new ManualClock() });
}

test('quoted, bare and commented lines are read', () => {
  const text = `# ID=no
PRETTY_NAME="Debian GNU/Linux 12 (\\"bookworm\\")"
VERSION_ID='12'
VERSION_CODENAME=bookworm
ID=Debian
`;
  expect(parseOsRelease(text)).toEqual({
    id: 'debian',
    versionId: '12',
    codename: 'bookworm',
    prettyName: 'Debian GNU/Linux 12 ("bookworm")',
  });
});

test('the file in etc comes before the one in usr/lib, in whatever order they are', async () => {
  const etc = { name: 'etc/os-release', text: 'ID=a\n' };
  const usr = { name: 'usr/lib/os-release', text: 'ID=b\n' };
  expect((await inspect([etc, usr])).os).toEqual({ id: 'a' });
  expect((await inspect([usr, etc])).os).toEqual({ id: 'a' });
});

test('the usual link in etc is no obstacle', async () => {
  const found = await inspect([
    { name: 'etc/os-release', type: 'symlink', linkname: '../usr/lib/os-release' },
    { name: 'usr/lib/os-release', text: 'ID=debian\nVERSION_ID="12"\n' },
  ]);
  expect(found.os).toEqual({ id: 'debian', versionId: '12' });
  expect(found.extractions[0]?.state).toBe('done');
});

test('a file without ID is unknown, a layer without the file has no distribution', async () => {
  expect((await inspect([{ name: 'etc/os-release', text: 'NAME=x\n' }])).extractions[0]).toMatchObject({
    state: 'unknown',
    reason: 'etc/os-release: it has no ID',
  });
  expect((await inspect([])).os).toBeUndefined();
});
