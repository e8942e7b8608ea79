import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { buildLayer, type Layer } from '../../test/support/oci-layout.ts';
import type { Client } from '../client/client.ts';

let world: DistributionWorld;
let security: Client;
let digest: string;
let old: Layer;

beforeAll(async () => {
  world = await openDistributionWorld();
  security = await world.server.user('sam', 'acme', [
    { role: 'security', account: 'acme', repositoryGlob: null },
  ]);
  const base = await buildLayer([{ path: 'bin/sh', content: 'base' }]);
  old = await buildLayer([
    { path: 'app/node_modules/lodash/package.json', content: '{"name":"lodash","version":"4.17.20"}' },
  ]);
  digest = await pushLayers(world.acme, 'acme/shop:1', [base, old]);
  await world.server.drain();
});
afterAll(() => world.server.close());

const question = ['--package', 'pkg:npm/lodash@<4.17.21'];

describe('the commands of a quarantine', () => {
  it('find, preview, refuse and release, each with its exit code', async () => {
    const found = await lazaret(security, 'scan', '--all', ...question);
    expect(found.code).toBe(2);
    expect(found.text).toContain('S-1  1 of 1 images match: contains pkg:npm/lodash <4.17.21');
    expect(found.text).toContain('advisories: none loaded; load some with: lazaret advisory import FILE');

    const planned = await lazaret(security, 'scan', 'acme/shop:1', ...question, '--effect', 'quarantine');
    expect(planned.text).toMatch(/^P-1 @\d+ {2}quarantine 1 layer, reaching 1 image · 0 containers running/);
    expect(planned.text).toContain('apply with: lazaret quarantine apply P-1 --reason TEXT');
    expect((await http(world.acme, 'GET /v2/acme/shop/manifests/1')).status).toBe(200);

    const applied = await lazaret(security, 'quarantine', 'apply', 'P-1', '--reason', 'INC-42', '--wait');
    expect(applied).toEqual({ text: 'Q-1  refused at every door · local at once', code: 0 });
    const refused = await http(world.acme, `GET /v2/acme/shop/manifests/${digest}`);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      errors: [{ code: 'DENIED', detail: { quarantine: 'Q-1', reason: 'INC-42' } }],
    });
    expect((await lazaret(world.acme, 'image', 'ls')).text).toContain('quarantined (Q-1)');
    expect((await lazaret(security, 'quarantine', 'ls')).text).toMatch(/Q-1 +active +1 +sam/);
    const shown = await lazaret(security, 'quarantine', 'show', 'Q-1');
    expect(shown.text).toContain('acme/shop:1');
    expect(shown.text).toContain('  because    contains pkg:npm/lodash <4.17.21 (S-2)');
    expect(shown.text).toContain(`  marks      layer ${old.digest}  pkg:npm/lodash@4.17.20`);
    expect((await lazaret(security, 'receipt', 'Q-1')).text).toContain('0 of 0 containers proved stopped');

    const released = await lazaret(security, 'quarantine', 'release', 'Q-1', '--reason', 'a drill');
    expect(released.text).toBe('Q-1  released · local at once');
    expect((await http(world.acme, 'GET /v2/acme/shop/manifests/1')).status).toBe(200);
    expect((await lazaret(security, 'quarantine', 'ls')).text).not.toContain('Q-1');
    expect((await lazaret(security, 'quarantine', 'ls', '--all')).text).toContain('released');
  });

  it('are refused to whoever has no say', async () => {
    const scan = await lazaret(security, 'scan', '--all', ...question, '-o', 'json');
    const { name } = JSON.parse(scan.text);
    const plan = ['quarantine', 'plan', '--scan', name];
    await expect(lazaret(world.acme, ...plan)).rejects.toMatchObject({ code: 'denied' });
    await expect(lazaret(world.reader, ...plan)).rejects.toMatchObject({ code: 'denied' });
    const made = JSON.parse((await lazaret(security, ...plan, '-o', 'json')).text);
    const stranger = await world.server.user('eve', 'globex', [
      { role: 'security', account: 'globex', repositoryGlob: null },
    ]);
    const apply = lazaret(stranger, 'quarantine', 'apply', made.name, '--reason', 'mine');
    await expect(apply).rejects.toMatchObject({ code: 'notFound' });
    const seen = JSON.parse((await lazaret(stranger, 'scan', '--all', ...question, '-o', 'json')).text);
    expect(seen.images).toEqual([]);
  });

  it('mark by name, hold, and move the end of the retention by a plan', async () => {
    const plan = ['quarantine', 'plan', '--repository', 'acme/legacy/**', '--layer', old.digest];
    const planned = JSON.parse((await lazaret(security, ...plan, '-o', 'json')).text);
    const shown = await lazaret(security, 'quarantine', 'show', planned.name);
    expect(shown.text).toContain('  repository acme/legacy/**');
    const apply = ['quarantine', 'apply', planned.name, '--reason', 'end of life', '-o', 'json'];
    const { quarantine } = JSON.parse((await lazaret(security, ...apply)).text);
    const held = await lazaret(security, 'quarantine', 'hold', quarantine.name, '--reason', 'case 4711');
    expect(held.text).toContain('under legal hold');
    expect((await lazaret(security, 'quarantine', 'show', quarantine.name)).text).toContain(
      'legal hold until it is lifted: case 4711',
    );
    const destroy = lazaret(security, 'quarantine', 'destroy', quarantine.name);
    await expect(destroy).rejects.toMatchObject({ code: 'conflict' });
    await lazaret(security, 'quarantine', 'unhold', quarantine.name, '--reason', 'closed');
    const longer = await lazaret(security, 'quarantine', 'retention', quarantine.name, '180d');
    const [next = ''] = longer.text.match(/^P-\d+/) ?? [];
    expect(longer.text).toContain('  the bytes are kept until ');
    await lazaret(security, 'quarantine', 'apply', next, '--reason', 'the case goes on');
    await expect(
      lazaret(world.acme, 'quarantine', 'hold', quarantine.name, '--reason', 'mine'),
    ).rejects.toMatchObject({ code: 'denied' });
    await expect(lazaret(security, 'quarantine', 'plan')).rejects.toMatchObject({ code: 'invalid' });
    await lazaret(security, 'quarantine', 'release', quarantine.name, '--reason', 'a drill');
  });

  it('let security alone read what is quarantined, and write that down', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lazaret-forensics-'));
    const file = join(folder, 'layer');
    const fetch = ['quarantine', 'fetch', old.digest, '--repository', 'acme/shop', '--output', file];
    await expect(lazaret(security, ...fetch)).rejects.toMatchObject({ code: 'conflict' });
    const plan = ['quarantine', 'plan', '--layer', old.digest, '-o', 'json'];
    const { name } = JSON.parse((await lazaret(security, ...plan)).text);
    const apply = ['quarantine', 'apply', name, '--reason', 'INC-43', '-o', 'json'];
    const { quarantine } = JSON.parse((await lazaret(security, ...apply)).text);
    await expect(lazaret(world.acme, ...fetch)).rejects.toMatchObject({ code: 'denied' });
    const eve = await world.server.user('eva', 'globex', [
      { role: 'security', account: 'globex', repositoryGlob: null },
    ]);
    await expect(lazaret(eve, ...fetch)).rejects.toMatchObject({ code: 'denied' });
    const elsewhere = fetch.with(4, 'globex/x');
    await expect(lazaret(eve, ...elsewhere)).rejects.toMatchObject({ code: 'blobUnknown' });
    expect((await lazaret(security, ...fetch)).text).toContain(old.digest);
    expect(await readFile(file)).toEqual(Buffer.from(old.bytes));
    const log = await lazaret(world.server.admin, 'events', '-o', 'json');
    const reads = log.text
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((event) => event.type === 'io.lazaret.forensics.read.v1');
    expect(reads).toMatchObject([{ actor: 'sam', account: 'acme', data: { digest: old.digest } }]);
    await lazaret(security, 'quarantine', 'release', quarantine.name, '--reason', 'a drill');
    await rm(folder, { recursive: true });
  });

  it('name the path of what is wrong in the criteria', async () => {
    const wrong = lazaret(security, 'scan', '--all', '--severity', 'huge');
    await expect(wrong).rejects.toMatchObject({
      code: 'invalid',
      detail: { path: 'criteria.advisory.severity' },
    });
    await expect(lazaret(security, 'scan')).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('the commands of the operator', () => {
  it('say why a blob lives, and collect only what is due', async () => {
    const { admin } = world.server;
    const explained = await lazaret(admin, 'debug', 'blob', old.digest);
    expect(explained.text).toContain('a manifest needs it: it stays');
    expect(explained.text).toContain(`needed by acme/shop@${digest}`);
    expect((await lazaret(admin, 'gc', '--plan')).text).toContain('stays: a manifest');
    expect((await lazaret(admin, 'gc')).text).toBe(
      '0 blobs collected, 0 B freed · 0 manifests out of service',
    );
    await expect(lazaret(world.acme, 'gc')).rejects.toMatchObject({ code: 'denied' });
  });

  it('read the log of what happened', async () => {
    const { text } = await lazaret(world.server.admin, 'events', '-o', 'json');
    const types = text.split('\n').map((line) => JSON.parse(line).type);
    expect(types).toContain('io.lazaret.manifest.pushed.v1');
    expect(types).toContain('io.lazaret.quarantine.released.v1');
    const mine = (await lazaret(world.stranger, 'events')).text;
    expect(mine).not.toContain('acme');
  });
});
