import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import { pushContent, tarOfFolder, writeDockerArchive } from '../../test/support/import-content.ts';
import { buildImage, buildLayer, type Image, writeLayout } from '../../test/support/oci-layout.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';

/** Put together here, so that this file has no secret in it. */
const token = ['ghp', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_');
const npmPackage = (name: string, version: string, license?: string) => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version, license }),
});

let server: TestServer;
let folder: string;
let image: Image;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-inventory-'));
  const status = 'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\n';
  const base = await buildLayer([
    { path: 'var/lib/dpkg/status', content: status },
    npmPackage('lodash', '4.17.20', 'MIT'),
    npmPackage('gone', '1.0.0', 'BSD'),
    { path: 'deploy.sh', content: `export T=${token}\n` },
  ]);
  const upper = await buildLayer([
    { path: 'usr/lib/os-release', content: 'ID=debian\nVERSION_ID="12"\n' },
    { path: 'app/node_modules/.wh.gone', content: '' },
    { path: '.wh.deploy.sh', content: '' },
    npmPackage('lodash', '4.17.21', 'MIT'),
  ]);
  image = buildImage({ layers: [base, upper], config: { User: 'web', Cmd: ['node', 'a b'] } });
  await writeLayout(join(folder, 'layout'), image, '1');
  await tarOfFolder(join(folder, 'layout'), join(folder, 'layout.tar'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const inventory = (...argv: string[]) => lazaret(server.admin, 'image', 'inventory', ...argv);

describe('an image that is read where it lies', () => {
  it('is told of in the words of image show', async () => {
    const { text, code } = await inventory(join(folder, 'layout'));
    expect(code).toBe(0);
    expect(text).toMatch(
      / {2}2 layers · .*B · Debian 12 · 1 dpkg, 1 npm · 3 files · 1 secret in its layers\n/,
    );
    expect(text).toMatch(/\n {2}config: linux\/\w+ · user web\n {2}command: node "a b"$/);
    const list = async (...asked: string[]) => (await inventory(join(folder, 'layout.tar'), ...asked)).text;
    expect(await list('--packages')).toMatch(
      /lodash +4\.17\.21 +npm +MIT +2 +\/app.*\n.*zlib1g +1:1\.2\.13 +deb +- +1 /,
    );
    expect(await list('--packages', '--in', 'layer', '--name', 'gone')).toContain('1 hidden');
    expect(await list('--licenses', '--license', 'unknown')).toMatch(/unknown +zlib1g/);
    expect(await list('--files', '--path', 'usr/**')).toMatch(/\/usr\/lib\/os-release$/);
    expect(await list('--secrets')).toMatch(/github\S* +1 hidden +\/deploy\.sh +1 +-/);
    expect(await list('--secrets', '--in', 'image')).not.toContain('deploy');
  });

  it('is the same as a server finds it, also of a registry, and nothing is stored', async () => {
    const blobs = [image.config, ...image.layers];
    await pushContent(server.admin, 'team/shop', {
      tags: { '1': image.manifest },
      manifests: [image.manifest],
      blobs,
    });
    await server.drain();
    const host = new URL(server.url).host;
    const read = JSON.parse((await inventory(`docker://${host}/team/shop:1`, '-o', 'json')).text);
    const show = async (...asked: string[]) =>
      JSON.parse((await lazaret(server.admin, 'image', 'show', 'team/shop:1', ...asked, '-o', 'json')).text);
    const shown = await show();
    for (const key of ['digest', 'state', 'reason', 'os', 'config']) expect(read[key]).toEqual(shown[key]);
    expect(read.packages).toEqual(await show('--packages'));
    expect(read.files).toEqual(await show('--files'));
    const withoutKey = (await show('--secrets')).map((found: object) => ({ ...found, fingerprint: null }));
    expect(read.secrets).toEqual(withoutKey);
    expect(JSON.stringify(read)).not.toContain(token);
  });

  it('is unknown, with exit code 3, when a layer lies or can not be read', async () => {
    const [base, upper] = image.layers;
    if (!base || !upper) throw new TypeError('the image has no layers');
    const liar = buildImage({ layers: [base, { ...upper, diffId: base.diffId }] });
    await writeLayout(join(folder, 'liar'), liar, '1');
    const { text, code } = await inventory(join(folder, 'liar'));
    expect([code, text]).toEqual([3, expect.stringContaining('unknown: the config lies about layer')]);
    await writeLayout(join(folder, 'other'), image, '1');
    await writeFile(join(folder, 'other/blobs/sha256', base.digest.slice('sha256:'.length)), upper.bytes);
    await expect(inventory(join(folder, 'other'))).rejects.toMatchObject({ code: 'digestInvalid' });
  });

  it('is asked for by name where the source has several', async () => {
    const layer = await buildLayer([npmPackage('a', '1.0.0')], { compression: 'none' });
    await writeDockerArchive(join(folder, 'saved.tar'), buildImage({ layers: [layer] }));
    // It has two names there.
    expect((await inventory(join(folder, 'saved.tar'), '--packages')).text).toContain('a ');
    const other = buildImage({ layers: [layer], config: { User: 'other' } });
    await pushContent(server.admin, 'team/several', {
      tags: { a: image.manifest, b: other.manifest },
      manifests: [],
      blobs: [image.config, other.config, layer, ...image.layers],
    });
    const several = `docker://${new URL(server.url).host}/team/several`;
    await expect(inventory(several)).rejects.toThrow(
      /has several images; say which: team\/several:a team\/several:b/,
    );
    expect((await inventory(`${several}:b`)).text).toContain('user other');
    await expect(inventory(`${join(folder, 'layout')}:2`)).rejects.toMatchObject({ code: 'notFound' });
    await expect(inventory(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'invalid' });
  });
});
