import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../../test/support/command-line.ts';
import {
  type DistributionWorld,
  manifestType,
  openDistributionWorld,
} from '../../../test/support/distribution-world.ts';
import { http } from '../../../test/support/http.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  content,
  descriptor,
  type Image,
  jsonContent,
  ownArchitecture,
} from '../../../test/support/oci-layout.ts';
import { type Client, call } from '../../client/client.ts';
import { imageListRoute, imageShow } from '../../contract/images.ts';
import { imageFileList, imageLicenseList, imagePackageList } from '../../contract/inventory-lists.ts';
import { digestOf } from '../../oci/digest.ts';
import { grantSet } from '../../records/access/grants.ts';

let world: DistributionWorld;
let image: Image;
let folder: string;

beforeAll(async () => {
  world = await openDistributionWorld();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-images-'));
  const manifest = (name: string, version: string, license = 'MIT') => ({
    path: `app/node_modules/${name}/package.json`,
    content: JSON.stringify({ name, version, license }),
  });
  const base = await buildLayer([manifest('lodash', '4.17.20'), manifest('left-pad', '1.0.0')]);
  const upper = await buildLayer([
    { path: 'app/node_modules/.wh.left-pad', content: '' },
    manifest('ms', '2.0.0', 'BSD'),
  ]);
  image = buildImage({ layers: [base, upper], config: { Env: ['TOKEN=hush'] } });
  await push(world.acme, 'acme/shop', image, '1');
  await world.server.drain();
});
afterAll(async () => {
  await world.server.close();
  await rm(folder, { recursive: true, force: true });
});

async function push(client: Client, repository: string, { config, layers, manifest }: Image, tag: string) {
  for (const blob of [config, ...layers]) await pushBytes(client, repository, blob);
  const headers = { 'content-type': manifestType };
  const put = await http(client, `PUT /v2/${repository}/manifests/${tag}`, { body: manifest.bytes, headers });
  expect(put.status).toBe(201);
}

async function pushBytes(client: Client, repository: string, blob: Content): Promise<void> {
  const begun = await http(client, `POST /v2/${repository}/blobs/uploads/`);
  const location = begun.headers.get('location') ?? '';
  expect((await http(client, `PUT ${location}?digest=${blob.digest}`, { body: blob.bytes })).status).toBe(
    201,
  );
}

const reference = 'acme/shop:1';

describe('images', () => {
  it('show what their layers show together', async () => {
    const shown = await call(world.reader, imageShow, { query: { reference } });
    expect(shown).toMatchObject({ state: 'done', tags: ['1'], packages: { npm: 2 }, advisorySources: 0 });
    expect(shown.layers.map(({ state, packages }) => [state, packages])).toEqual([
      ['done', 2],
      ['done', 1],
    ]);
    expect(shown.config).toMatchObject({ env: ['TOKEN'] });
    expect(JSON.stringify(shown)).not.toContain('hush');
  });

  it('list their packages and files in pages, with how far they were read', async () => {
    const asked = { reference, in: 'image', limit: 1 } as const;
    const first = await call(world.reader, imagePackageList, { query: asked });
    const second = await call(world.reader, imagePackageList, {
      query: { ...asked, after: first.next ?? '' },
    });
    expect([...first.items, ...second.items].map(({ purl }) => purl)).toEqual([
      'pkg:npm/lodash@4.17.20',
      'pkg:npm/ms@2.0.0',
    ]);
    expect(second).toMatchObject({ next: null, state: 'done', digest: image.manifest.digest });
    const unknown = { reference, in: 'image', license: 'unknown', limit: 10 } as const;
    const { items: licences } = await call(world.reader, imageLicenseList, { query: unknown });
    expect(licences).toMatchObject([{ name: 'ms', license: 'BSD', spdx: null }]);
    const layer = image.layers[1]?.digest ?? '';
    const inLayer = { reference, in: 'layer', layer, limit: 10 } as const;
    const { items } = await call(world.reader, imageFileList, { query: inLayer });
    expect(items.map(({ path, kind, shown }) => [path, kind, shown])).toEqual([
      ['app/node_modules/left-pad', 'whiteout', false],
      ['app/node_modules/ms/package.json', 'file', true],
    ]);
  });

  it.each([
    ['a layer of another image', { layer: 'sha256:00' }, 'notFound'],
    ['a cursor of another list', { after: 'WyJhIl0' }, 'invalid'],
    ['more than a page has', { limit: 10_001 }, 'invalid'],
    ['a glob with a brace too many', { path: 'a}' }, 'invalid'],
  ])('refuse %s', async (_, wrong, code) => {
    const query = { reference, in: 'layer', limit: 10, ...wrong } as const;
    await expect(call(world.reader, imageFileList, { query })).rejects.toMatchObject({ code });
  });

  it('are seen only by who may pull them, by a role or a grant', async () => {
    const all = await call(world.server.admin, imageListRoute, { query: { limit: 100 } });
    expect(all.images).toMatchObject([
      { repository: 'acme/shop', tags: ['1'], state: 'done', layers: 2, packages: 2 },
    ]);
    expect(await call(world.stranger, imageListRoute, { query: { limit: 100 } })).toEqual({
      images: [],
      next: null,
    });
    const hidden = call(world.stranger, imageShow, { query: { reference } });
    await expect(hidden).rejects.toMatchObject({ code: 'nameUnknown' });
    await world.server.context.database.transact((tx) =>
      grantSet(tx, { owner: 'acme', grantee: 'globex', repositoryGlob: 'acme/*' }, 'test'),
    );
    const granted = await call(world.stranger, imageListRoute, { query: { limit: 100 } });
    expect(granted.images).toHaveLength(1);
    expect(await call(world.stranger, imageShow, { query: { reference } })).toMatchObject({ state: 'done' });
  });

  it('name the image that they begin with, to who may pull that', async () => {
    const [below] = image.layers;
    if (!below) throw new TypeError('the image has no layer');
    const base = buildImage({ layers: [below] });
    await push(world.stranger, 'globex/base', base, '12');
    await world.server.drain();
    const { admin } = world.server;
    const shown = await call(admin, imageShow, { query: { reference } });
    const named = { repository: 'globex/base', digest: base.manifest.digest, tags: ['12'], layers: 1 };
    expect(shown.base).toEqual(named);
    expect((await lazaret(admin, 'image', 'show', reference)).text).toMatch(
      /\n {2}base: globex\/base:12 {2}sha256:\w+ · 1 of 2 layers/,
    );
    expect((await call(world.reader, imageShow, { query: { reference } })).base).toBeNull();
  });

  it('are listed in pages over repositories', async () => {
    for (const repository of ['acme/a', 'acme/b']) await push(world.acme, repository, image, 'x');
    const names: string[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const query = { account: 'acme', limit: 1, ...(after === undefined ? {} : { after }) };
      const page = await call(world.acme, imageListRoute, { query });
      names.push(...page.images.map(({ repository }) => repository));
      after = page.next;
    }
    expect(names).toEqual(['acme/a', 'acme/b', 'acme/shop']);
  });

  it('that are indexes name their images', async () => {
    const statement = content('application/vnd.in-toto+json', Buffer.from('{}'));
    const attestation = buildImage({
      layers: [{ ...statement, diffId: statement.digest }],
      os: 'unknown',
      architecture: 'unknown',
    });
    await push(world.acme, 'acme/shop', attestation, 'attestation');
    const absent = { mediaType: manifestType, digest: digestOf('absent'), size: 6 };
    const children = [descriptor(image.manifest), descriptor(attestation.manifest), absent];
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const index = jsonContent(mediaType, { schemaVersion: 2, mediaType, manifests: children });
    const put = await http(world.acme, 'PUT /v2/acme/shop/manifests/all', {
      body: index.bytes,
      headers: { 'content-type': mediaType },
    });
    expect(put.status).toBe(201);
    await world.server.drain();
    const shown = await call(world.acme, imageShow, { query: { reference: 'acme/shop:all' } });
    const platform = `linux/${ownArchitecture}`;
    expect(shown).toMatchObject({ kind: 'index', state: null });
    expect(shown.children).toEqual([
      { digest: image.manifest.digest, platform, state: 'done' },
      { digest: attestation.manifest.digest, platform: 'unknown/unknown', state: 'notApplicable' },
      { digest: absent.digest, platform: null, state: null },
    ]);
    const { text, code } = await lazaret(world.acme, 'image', 'show', 'acme/shop:all', '--wait');
    expect(code).toBe(0);
    const [, ...lines] = text.split('\n');
    expect(lines[0]).toBe(`  ${platform}  ${image.manifest.digest.slice(0, 19)}`);
    expect(lines[1]).toMatch(/^ {4}2\/2 layers in .* · 2 npm · advisories: /);
    expect(lines[2]).toMatch(/^ {2}no file system {2}sha256:/);
    expect(lines[3]).toMatch(/^ {2}not here {2}sha256:/);
    const listed = await call(world.acme, imageListRoute, { query: { limit: 100 } });
    expect(listed.images.map(({ digest }) => digest)).not.toContain(attestation.manifest.digest);
    // It has one image only, so nobody needs to say which.
    expect((await lazaret(world.acme, 'image', 'show', 'acme/shop:all', '--packages')).text).toContain(
      'lodash',
    );
    const query = { reference: 'acme/shop:all', platform: 'plan9/mips', in: 'image', limit: 1 } as const;
    await expect(call(world.acme, imagePackageList, { query })).rejects.toMatchObject({ code: 'notFound' });
  });
});

describe('the command line', () => {
  const lodash = {
    id: 'GHSA-35jh-r3h4-6jhm',
    modified: '2026-01-01T00:00:00Z',
    database_specific: { severity: 'HIGH' },
    affected: [
      {
        package: { ecosystem: 'npm', name: 'lodash' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }],
      },
    ],
  };

  it('tells what is in an image, before and after advisories are known', async () => {
    const before = await lazaret(world.reader, 'image', 'show', reference, '--wait');
    expect(before.code).toBe(0);
    expect(before.text).toMatch(
      /2\/2 layers in \d+\.\d s · .*B · 2 npm · advisories: unknown, none loaded\n/,
    );
    expect(before.text).toMatch(/\n {2}config: linux\/\w+ · user root\n {2}environment: TOKEN$/);
    expect((await lazaret(world.reader, 'advisory', 'status')).text).toContain('none is loaded');
    const unexplained = await lazaret(world.reader, 'explain', reference);
    expect(unexplained.text).toContain('no advisories are loaded');
    expect(unexplained.code).toBe(3);

    const good = join(folder, 'good.json');
    const lines = join(folder, 'lines.jsonl');
    await writeFile(good, JSON.stringify(lodash, null, 2));
    await writeFile(lines, `{"id": "GHSA-1\n${JSON.stringify(lodash)}\n`);
    const imported = await lazaret(world.server.admin, 'advisory', 'import', good, lines, '--source', 'ghsa');
    expect(imported.text).toContain(
      'good.json: 1 advisory new or changed · 0 unchanged · 1 new finding, 0 ended',
    );
    expect(imported.text).toContain('lines.jsonl, line 1: ');
    expect(imported.code).toBe(3);
    expect((await lazaret(world.reader, 'advisory', 'status')).text).toMatch(/ghsa +advisories +1 /);

    const explained = await lazaret(world.reader, 'explain', reference);
    expect(explained.text).toMatch(/npm lodash 4\.17\.20 is in introduced .*\n.* in sha256:/);
    expect(explained.code).toBe(2);
    expect((await lazaret(world.reader, 'advisory', 'show', lodash.id)).text).toContain(
      'to 1 package version here',
    );
    const bundle = join(folder, 'advisories.zst');
    await lazaret(world.server.admin, 'advisory', 'export', bundle);
    const again = await lazaret(world.server.admin, 'advisory', 'import', bundle, folder, '--source', 'ghsa');
    expect(again.text).toMatch(/zst: \d advisor.*\n.*0 advisories new or changed/);

    const after = await lazaret(world.reader, 'image', 'show', reference);
    expect(after.text).toMatch(
      /advisories: 1 high \(1 fixable\); what ghsa gave can’t be read in part, and names no package$/m,
    );
    const listed = await lazaret(world.reader, 'image', 'show', reference, '--packages');
    expect(listed.text).toMatch(/lodash +4\.17\.20 +npm +MIT +1 +\/app\/node_modules\/lodash/);
    const show = (...argv: string[]) => lazaret(world.reader, 'image', 'show', reference, ...argv);
    const licences = await show('--licenses');
    expect(licences.text).toMatch(/unknown: BSD +ms +2\.0\.0 +npm +2 .*\nMIT +lodash +4\.17\.20 +npm +1 /);
    expect((await show('--licenses', '--license', 'MIT')).text).not.toContain('BSD');
    expect(JSON.parse((await show('--licenses', '-o', 'json')).text)).toMatchObject([
      { name: 'ms', spdx: null },
      { name: 'lodash', spdx: 'MIT' },
    ]);
    expect((await show('--files')).text).not.toContain('left-pad');
    const held = await show('--files', '--in', 'layer', '--path', '**/left-pad/**');
    expect(held.text).toMatch(/1 hidden +0644 +file .* \/app\/node_modules\/left-pad\/package\.json$/);
    expect((await show('--files', '--in', 'layer', '--layer', '2')).text).toContain('whiteout');
    expect(JSON.parse((await show('--packages', '--name', 'm*', '-o', 'json')).text)).toMatchObject([
      { name: 'ms' },
    ]);
    await expect(show('--files', '--layer', '3')).rejects.toMatchObject({ code: 'invalid' });
    expect((await lazaret(world.reader, 'image', 'show', reference, '--layers')).text).toContain('done');
    expect((await lazaret(world.reader, 'image', 'ls')).text).toMatch(/acme\/shop +1 +sha256:/);
  });

  it('writes the bill of materials to a file or to standard output', async () => {
    const file = join(folder, 'shop.cdx.json');
    await lazaret(world.reader, 'image', 'sbom', reference, '-o', file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ bomFormat: 'CycloneDX' });
    const printed = await lazaret(world.reader, 'image', 'sbom', reference, '--format', 'spdx');
    expect(JSON.parse(printed.text)).toMatchObject({ spdxVersion: 'SPDX-2.3' });
    const nowhere = lazaret(world.reader, 'image', 'sbom', reference, '-o', join(folder, 'no', 'folder'));
    await expect(nowhere).rejects.toMatchObject({ code: 'invalid' });
    const asked = await http(world.reader, 'GET /api/v1/images/sbom?reference=acme/shop:1');
    expect(asked.headers.get('content-type')).toBe('application/vnd.cyclonedx+json');
  });

  it('lets only the operator import', async () => {
    const file = join(folder, 'good.json');
    await writeFile(file, JSON.stringify(lodash));
    await expect(lazaret(world.acme, 'advisory', 'import', file)).rejects.toMatchObject({ code: 'denied' });
    await expect(
      lazaret(world.server.admin, 'advisory', 'import', join(folder, 'missing.json')),
    ).rejects.toMatchObject({ code: 'invalid' });
  });
});
