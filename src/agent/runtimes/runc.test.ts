import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { busyboxLayer } from '../../../test/support/busybox.ts';
import { buildImage, buildLayer, jsonContent, type Layer } from '../../../test/support/oci-layout.ts';
import {
  processesNaming,
  type RuncWorld,
  runcParts,
  runcWorld,
  scripts,
  shellImage,
} from '../../../test/support/runc-world.ts';
import { runtimeContract } from '../../../test/support/runtime-contract.ts';
import type { LazaretError } from '../../lib/errors.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { layoutBlob } from './image-layout.ts';
import { checkRunc, type RuncTools } from './runc-check.ts';

let tools: RuncTools;
let base: Layer;
beforeAll(async () => {
  ({ base, tools } = await runcParts());
});

runtimeContract('runc', runcWorld);

const isRoot = process.geteuid?.() === 0;

describe('runtime runc on a real machine', () => {
  let world: RuncWorld;
  beforeEach(async () => {
    world = await runcWorld();
  });
  afterEach(async () => world.close());

  test('the app sees its hostname, the deployment over the image in its environment, and its user', async () => {
    const image = await world.write('app', shellImage(scripts.obedient, { User: 'app' }));
    await world.runtime.prepare('one', image);
    await world.runtime.start('one', world.spec());
    expect(await world.reported()).toBe(`island ahoy ${isRoot ? 1000 : 0} image`);
  });

  test('a container that was stopped and removed leaves no process, mount, cgroup or file', async () => {
    const locked: Layer = await buildLayer([
      { path: 'locked/', folder: true, mode: 0o555 },
      { path: 'locked/file', content: 'read only', mode: 0o444 },
    ]);
    const image = await world.write('app', shellImage(scripts.obedient, {}, [locked]));
    const before = await cgroups();
    await world.runtime.prepare('one', image);
    await world.runtime.start('one', world.spec());
    await world.reported();
    expect(await processesNaming(world.folder)).not.toEqual([]);
    await world.runtime.stop('one', 20_000);
    await world.runtime.remove('one');
    expect(await readdir(join(world.folder, 'state', 'containers'))).toEqual([]);
    expect(await readdir(join(world.folder, 'state', 'staging'))).toEqual([]);
    expect(await readdir(join(world.folder, 'state', 'runc'))).toEqual([]);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(world.folder);
    expect(await cgroups()).toEqual(before);
    await expect.poll(() => processesNaming(world.folder)).toEqual([]);
  });

  test('a container whose keeper was killed is still found, stopped and recorded', async () => {
    await world.runtime.prepare('one', await world.image('obedient'));
    await world.runtime.start('one', world.spec());
    await world.ready();
    const [running] = await world.runtime.list();
    for (const pid of await processesNaming(world.folder))
      if (pid !== running?.pid) process.kill(pid, 'SIGKILL');
    const reopened = await world.reopen();
    expect(await reopened.list()).toMatchObject([{ id: 'one', state: 'running', pid: running?.pid }]);
    expect(await reopened.stop('one', 20_000)).toMatchObject({ id: 'one', state: 'exited' });
    await reopened.remove('one');
    expect(await readdir(join(world.folder, 'state', 'runc'))).toEqual([]);
  });

  test('an image whose program is missing fails to start with the reason, and can be removed', async () => {
    const image = buildImage({ layers: [base], config: { Cmd: ['/bin/absent'] } });
    await world.runtime.prepare('one', await world.write('app', image));
    await expect(world.runtime.start('one', world.spec())).rejects.toThrow(
      /one could not be started.*absent/,
    );
    expect(await world.runtime.list()).toEqual([{ id: 'one', state: 'prepared' }]);
    await world.runtime.remove('one');
  });

  test('an image with Docker media types, a zstd layer and a plain one runs', async () => {
    const layers = [
      await busyboxLayer('zstd'),
      await buildLayer([{ path: 'plain', content: '' }], { compression: 'none' }),
    ];
    const built = buildImage({
      layers,
      config: { Cmd: ['/bin/sh', '-c', `cat /plain && ${scripts.obedient}`] },
    });
    const { digest, size } = built.config;
    const manifest = jsonContent(mediaTypes.dockerManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, digest, size },
      layers: built.layers.map((layer, index) => ({
        mediaType: index === 0 ? mediaTypes.dockerLayerZstd : mediaTypes.dockerLayer,
        digest: layer.digest,
        size: layer.size,
      })),
    });
    await world.runtime.prepare('one', await world.write('app', { ...built, manifest }));
    await world.runtime.start('one', world.spec());
    await world.ready();
    expect(await world.runtime.list()).toMatchObject([{ state: 'running' }]);
  });

  test('a layer that is not what its digest says is refused, whatever its compression', async () => {
    for (const compression of ['gzip', 'none', 'zstd'] as const) {
      const layer = await buildLayer([{ path: 'file', content: 'x'.repeat(5_000) }], { compression });
      const image = await world.write(compression, shellImage('true', {}, [layer]));
      const other = await buildLayer([{ path: 'file', content: 'y'.repeat(5_000) }], { compression });
      const path = layoutBlob(image.layoutFolder, layer.digest);
      const forged = Buffer.alloc((await stat(path)).size);
      forged.set(other.bytes.subarray(0, forged.length));
      await writeFile(path, forged);
      await expect(world.runtime.prepare('one', image), compression).rejects.toMatchObject({
        code: 'invalid',
      });
    }
    expect(await world.runtime.list()).toEqual([]);
    expect(await readdir(join(world.folder, 'state', 'staging'))).toEqual([]);
  });

  test('a layer that is no tar, or reaches out of the root, changes nothing outside', async () => {
    const noTar = { ...base, ...jsonContent(mediaTypes.ociLayer, { not: 'a tar' }) };
    const image = buildImage({ layers: [{ ...noTar, diffId: noTar.digest }], config: { Cmd: ['/x'] } });
    await expect(world.runtime.prepare('one', await world.write('no-tar', image))).rejects.toMatchObject({
      code: 'invalid',
    });
    const outward = await buildLayer([
      { path: 'out', link: '../../../../../../../../..' },
      { path: `out${world.folder}/escaped`, content: 'escaped' },
      { path: '../../../escaped', content: 'escaped' },
    ]);
    await world.runtime
      .prepare('two', await world.write('escape', shellImage('true', {}, [outward])))
      .catch((error: LazaretError) => expect(error.code).toBe('invalid'));
    expect(await readdir(world.folder)).not.toContain('escaped');
  });

  test('preparing ends when it is aborted, and leaves nothing', async () => {
    const image = await world.image('obedient');
    await expect(world.runtime.prepare('one', image, AbortSignal.abort())).rejects.toThrow();
    expect(await world.runtime.list()).toEqual([]);
    expect(await readdir(join(world.folder, 'state', 'staging'))).toEqual([]);
  });

  test('the output that is kept is bounded, and its end is what a status shows', async () => {
    const flood = `i=0; while [ $i -lt 9 ]; do cat /flood; i=$((i+1)); done; echo the end; exit 1`;
    const layer = await buildLayer([{ path: 'flood', content: `${'0123456789abcde\n'.repeat(131_072)}` }]);
    await world.runtime.prepare('one', await world.write('flood', shellImage(flood, {}, [layer])));
    await world.runtime.start('one', world.spec());
    await expect.poll(() => world.runtime.list(), { timeout: 20_000 }).toMatchObject([{ exitCode: 1 }]);
    const [status] = await world.runtime.list();
    expect(status?.lastOutput?.split('\n').slice(-2)).toEqual(['0123456789abcde', 'the end']);
    const container = join(world.folder, 'state', 'containers', 'one');
    const sizes = await Promise.all(
      (await readdir(container))
        .filter((name) => name.startsWith('output'))
        .map(async (name) => (await stat(join(container, name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(3 * 4 * 1024 * 1024);
  });

  test('a missing tool is named in one sentence', async () => {
    expect(await checkRunc({ ...tools, umoci: join(world.folder, 'absent') })).toMatch(
      /^umoci is not installed, or can't be run: .*\.$/,
    );
  });
});

async function cgroups(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('find', ['/sys/fs/cgroup', '-name', 'lazaret-*']);
  return stdout.split('\n').filter((line) => line !== '');
}
