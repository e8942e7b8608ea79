import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazaret as lazaretAs } from '../../test/support/command-line.ts';
import { seedImage } from '../../test/support/fleet.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import { containerSet } from '../records/fleet/containers.ts';
import { deploymentList } from '../records/fleet/deployments.ts';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer({ environment: { LAZARET_REGION: 'home' } });
  folder = await mkdtemp(join(tmpdir(), 'lazaret-cli-'));
  await seedImage(server.context.database);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** What `lazaret …` prints. */
async function lazaret(...argv: string[]): Promise<string> {
  return (await lazaretAs(server.admin, ...argv)).text;
}

describe('the commands of the fleet', () => {
  it('tell one story, from the instance to the end of a deployment', async () => {
    const secretFile = join(folder, 'host-1.secret');
    const added = await lazaret(
      'instance',
      'add',
      'host-1',
      '--account',
      'globex',
      '--secret-file',
      secretFile,
    );
    expect(added).toBe(`host-1 of globex in region home\nsecret in ${secretFile}`);
    expect((await stat(secretFile)).mode & 0o777).toBe(0o600);
    expect((await readFile(secretFile, 'utf8')).trim()).toHaveLength(32);
    expect(await lazaret('instance', 'ls')).toMatch(/^REGION.*\nhome {4}host-1 {2}globex/);

    const create = ['deploy', 'create', 'acme/shop:1', '--name', 'shop', '--on', 'home/host-1'];
    create.push('--account', 'globex', '--env', 'PORT=8080', '--stop-deadline', '5s');
    create.push('--lease', '--on-lease-end', 'pause');
    await expect(lazaret(...create)).rejects.toMatchObject({ code: 'grantMissing' });
    expect(await lazaret('grant', 'add', 'acme/shop', '--to', 'globex')).toBe(
      'globex may pull and run acme/shop',
    );
    expect(await lazaret('grant', 'ls')).toContain('acme/shop     acme   globex');
    const criteria = join(folder, 'criteria.json');
    await writeFile(criteria, JSON.stringify({ when: [{ quarantined: true }], response: 'stop' }));
    expect(await lazaret(...create, '--event-criteria', criteria)).toBe('shop should run on home/host-1');

    const [deployment] = await deploymentList(server.context.database.read);
    expect(deployment).toMatchObject({ env: { PORT: '8080' }, stopDeadlineMs: 5_000 });
    await server.context.database.transact((tx) =>
      containerSet(
        tx,
        {
          ...{
            uid: '019-12345678',
            deploymentUid: deployment?.uid ?? '',
            region: 'home',
            instance: 'host-1',
          },
          ...{
            account: 'globex',
            manifestDigest: deployment?.manifestDigest ?? '',
            state: 'running' as const,
          },
          ...{ message: null, exitCode: null, startedAt: 0, stoppedAt: null, reportedAt: 0 },
        },
        'instance/host-1',
      ),
    );
    expect((await lazaret('ps')).split('\n')[1]).toBe(
      '12345678   shop        acme/shop:1  home/host-1  running  1970-01-01 00:00:00',
    );
    const shown = await lazaret('deploy', 'show', 'shop');
    expect(shown).toContain('ends       stop when its image is quarantined (of the deployment)');
    expect(shown).toContain('container  12345678 running');
    expect(shown).toContain('lease      1d without a word from home, then pause');

    expect(await lazaret('deploy', 'stop', 'shop', '--reason', 'night')).toBe(
      'shop should stop on home/host-1: night',
    );
    expect((await lazaret('deploy', 'ls')).split('\n')[1]).toBe(
      'shop  acme/shop:1  globex  home/host-1  stop    night',
    );
    expect(await lazaret('deploy', 'start', 'shop')).toBe('shop should run on home/host-1');
    expect(await lazaret('deploy', 'restore', 'shop', '--reason', 'fine')).toContain('should run');
    expect(await lazaret('deploy', 'rm', 'shop')).toContain('shop is removed');
    expect(await lazaret('grant', 'rm', 'acme/shop', '--from', 'globex')).toContain('may no longer');
    await expect(lazaret('deploy', 'show', 'shop')).rejects.toMatchObject({ code: 'notFound' });
  });

  it.each([
    ['a grant of everybody’s repositories', ['grant', 'add', '*/shop', '--to', 'globex'], 'invalid'],
    ['a grant that was never given', ['grant', 'rm', 'acme/x', '--from', 'globex'], 'notFound'],
    ['a second instance of one name', ['instance', 'add', 'host-1', '--account', 'globex'], 'conflict'],
    [
      'a variable without a name',
      ['deploy', 'create', 'a/b:1', ...deployTo('h/i'), '--env', '=1'],
      'invalid',
    ],
    ['an unknown repository', ['deploy', 'create', 'acme/no:1', ...deployTo('home/host-1')], 'nameUnknown'],
    ['an unknown region', ['deploy', 'create', 'acme/shop:1', ...deployTo('mars/host-1')], 'regionUnknown'],
    [
      'an unknown instance',
      ['deploy', 'create', 'acme/shop:1', ...deployTo('home/host-9')],
      'instanceUnknown',
    ],
  ])('refuse %s', async (_, argv, code) => {
    await expect(lazaret(...argv)).rejects.toMatchObject({ code });
  });
});

function deployTo(place: string): string[] {
  return ['--name', 'x', '--on', place, '--account', 'globex'];
}
