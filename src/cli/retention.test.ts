import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushImage,
} from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';

let world: DistributionWorld;

beforeAll(async () => {
  world = await openDistributionWorld();
  for (const tag of ['v1', 'v2', 'dev']) await pushImage(world.acme, `acme/shop:${tag}`);
});
afterAll(() => world.server.close());

describe('the commands of retention and the trash', () => {
  it('make a rule, show what it would do, do it, and bring a tag back', async () => {
    const made = await lazaret(
      world.acme,
      'retention',
      'add',
      'acme/*',
      '--tags',
      'v*',
      '--keep-latest',
      '1',
    );
    expect(made.text).toBe(
      "R-1  acme/*: of v*: keep the latest 1\nsee what would go: lazaret retention plan --repositories 'acme/*'\nuntagged images stay; let them go with --untagged",
    );
    expect((await lazaret(world.acme, 'retention', 'ls')).text).toMatch(
      /R-1 +acme\/\* +of v\*: keep the latest 1/,
    );
    const plan = await lazaret(world.acme, 'retention', 'plan', '--repositories', 'acme/*');
    expect(plan.text).toMatch(/:v1 +sha256:\w{12} +goes +R-1, and no rule keeps it/);
    expect(plan.text).toMatch(/:v2 +sha256:\w{12} +stays +R-1: one of the latest/);
    expect(plan.text).toMatch(/:dev +sha256:\w{12} +stays +no rule is about it/);
    expect(plan.text).toContain('1 reference would go, 2 stay');

    await world.server.drain();
    const get = () => http(world.acme, 'GET /v2/acme/shop/manifests/v1');
    expect((await get()).status).toBe(404);
    expect((await lazaret(world.reader, 'trash', 'ls', 'acme/shop')).text).toMatch(
      /acme\/shop:v1 +sha256:\w{12} +[\d-]+ [\d:]+ +retention +R-1/,
    );
    const back = await lazaret(world.acme, 'trash', 'restore', 'acme/shop:v1');
    expect(back.text).toMatch(/^acme\/shop@sha256:\w{12} {2}back: 0 manifests, :v1$/);
    expect((await get()).status).toBe(200);

    expect((await lazaret(world.acme, 'retention', 'rm', 'R-1')).text).toBe('R-1  ended');
    expect((await lazaret(world.acme, 'retention', 'ls')).text).not.toContain('R-1');
  });

  it('bring a deleted image back by its digest', async () => {
    const { digest } = await pushImage(world.acme, 'acme/tool:1');
    expect((await http(world.acme, `DELETE /v2/acme/tool/manifests/${digest}`)).status).toBe(202);
    const listed = (await lazaret(world.acme, 'trash', 'ls', 'acme/tool')).text;
    expect(listed).toContain('acme-ci');
    expect(listed).toContain('acme/tool:1');
    expect(listed).toContain(`acme/tool@${digest.slice(0, 19)}`);
    const back = await lazaret(world.acme, 'trash', 'restore', `acme/tool@${digest}`);
    expect(back.text).toContain('back: 1 manifest, :1');
    expect((await http(world.reader, 'GET /v2/acme/tool/manifests/1')).status).toBe(200);
    await expect(lazaret(world.acme, 'trash', 'restore', `acme/tool@${digest}`)).rejects.toMatchObject({
      code: 'notFound',
    });
  });

  it('are refused to whoever has no say, and tell what is wrong', async () => {
    const add = (client: typeof world.acme, ...words: string[]) =>
      lazaret(client, 'retention', 'add', ...words);
    const denied = { code: 'denied' };
    await expect(add(world.reader, 'acme/*', '--keep-latest', '1')).rejects.toMatchObject(denied);
    await expect(add(world.stranger, 'acme/*', '--keep-latest', '1')).rejects.toMatchObject(denied);
    await expect(add(world.acme, '**', '--keep-latest', '1')).rejects.toMatchObject(denied);
    await expect(add(world.acme, 'acme/*')).rejects.toMatchObject({ code: 'invalid' });
    await expect(add(world.acme, 'acme/*', '--keep-latest', 'many')).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(add(world.acme, 'acme/*', '--untagged', 'soon')).rejects.toMatchObject({ code: 'invalid' });
    const { name } = JSON.parse((await add(world.server.admin, '**', '--keep-tags', '*', '-o', 'json')).text);
    expect((await lazaret(world.acme, 'retention', 'ls')).text).toContain(name);
    await expect(lazaret(world.acme, 'retention', 'rm', name)).rejects.toMatchObject(denied);
    await expect(lazaret(world.reader, 'trash', 'restore', 'acme/shop:v1')).rejects.toMatchObject(denied);
    await expect(lazaret(world.acme, 'trash', 'restore', 'acme/shop')).rejects.toMatchObject({
      code: 'invalid',
    });
    expect((await lazaret(world.stranger, 'retention', 'plan')).text).not.toContain('acme');
    expect((await lazaret(world.stranger, 'trash', 'ls')).text).not.toContain('acme');
  });
});
