import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { debianTools, packageOfLibrary } from '../../scripts/debian-tools.ts';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'lazaret-tools-'));
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['libgpgme.so.11', 'libgpgme11'],
  ['libdevmapper.so.1.02.1', 'libdevmapper1.02.1'],
  ['libseccomp.so.2', 'libseccomp2'],
  ['libgpg-error.so.0', 'libgpg-error0'],
  ['libfoo_bar2.so.3', 'libfoo-bar2-3'],
])('the package of library %s is %s', (soname, name) => {
  expect(packageOfLibrary(soname)).toBe(name);
});

test('a downloaded tool runs through its wrapper, libraries included, when the machine has none', async () => {
  const bin = await debianTools(['skopeo'], { folder, ignoreMachine: true });
  const { stdout } = await run(join(bin, 'skopeo'), ['--version'], { env: {} });
  expect(stdout).toMatch(/^skopeo version \d/);
}, 120_000);

test('a tool of the machine is used when there is one', async () => {
  const bin = await debianTools(['env'], { folder });
  const { stdout } = await run(join(bin, 'env'), ['true', '--', 'a b'], { env: { PATH: '/usr/bin:/bin' } });
  expect(stdout).toBe('');
});

test('an unknown tool is reported in one sentence with the reason of apt-get', async () => {
  await expect(debianTools(['lazaret-no-such-tool'], { folder })).rejects.toThrow(
    /^lazaret-no-such-tool: not on this machine, and apt-get could not download it \(.+\); install it yourself\.$/,
  );
}, 120_000);

test('a machine without apt-get is told so in one sentence', async () => {
  const script = new URL('../../scripts/debian-tools.ts', import.meta.url).pathname;
  const failed = run(process.execPath, [script, 'lazaret-no-such-tool'], { env: { PATH: folder } });
  await expect(failed).rejects.toMatchObject({
    stderr:
      'lazaret: lazaret-no-such-tool: not on this machine, which has no apt-get to fetch it with; install it yourself.\n',
  });
});
