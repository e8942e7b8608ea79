import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { debianTools } from '../../../scripts/debian-tools.ts';
import { busyboxLayer } from '../../../test/support/busybox.ts';
import {
  buildImage,
  buildLayer,
  type Image,
  type ImageParts,
  jsonContent,
  type Layer,
  writeLayout,
} from '../../../test/support/oci-layout.ts';
import { type App, type RuntimeWorld, runtimeContract } from '../../../test/support/runtime-contract.ts';
import { systemClock } from '../../lib/clock.ts';
import type { LazaretError } from '../../lib/errors.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { removeTree } from './container-folder.ts';
import { layoutBlob } from './image-layout.ts';
import { openRuncRuntime } from './runc.ts';
import { checkRunc, type RuncTools } from './runc-check.ts';
import type { ImageSource, Runtime } from './runtime.ts';

/** Each app tells the test over the host's network that it handles signals now, and what it sees of itself. */
const report = 'echo "$(hostname) $GREETING $(id -u) $SELF" | nc 127.0.0.1 $REPORT_PORT';
const scripts: Readonly<Record<App, string>> = {
  obedient: `trap 'echo ended; exit 0' TERM; ${report}; while :; do sleep 60 & wait $!; done`,
  stubborn: `trap '' TERM; ${report}; while :; do sleep 60; done`,
  brief: `echo I give up; exit 3`,
};

let tools: RuncTools;
let base: Layer;
beforeAll(async () => {
  const bin = await debianTools(['runc', 'umoci']);
  tools = { runc: join(bin, 'runc'), umoci: join(bin, 'umoci') };
  expect(await checkRunc(tools)).toBeUndefined();
  base = await busyboxLayer();
});

interface RuncWorld extends RuntimeWorld {
  readonly folder: string;
  write(name: string, image: Image): Promise<ImageSource>;
  /** The line that the app started last reported. */
  reported(): Promise<string>;
}

async function runcWorld(): Promise<RuncWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-runc-'));
  const reports = await listenForReports();
  const open = () => openRuncRuntime({ folder: join(folder, 'state'), tools, clock: systemClock });
  const runtime = await open();
  const write = async (name: string, image: Image) => {
    await writeLayout(join(folder, name), image);
    return { layoutFolder: join(folder, name), manifest: image.manifest.digest };
  };
  return {
    folder,
    runtime,
    write,
    reopen: open,
    image: (app) => write(app, shellImage(scripts[app])),
    spec: () => ({ env: { REPORT_PORT: String(reports.port), GREETING: 'ahoy' }, hostname: 'island' }),
    ready: async () => void (await reports.next()),
    reported: reports.next,
    elapse: () => {},
    close: async () => {
      await endAll(runtime);
      reports.server.close();
      await removeTree(folder);
    },
  };
}

function shellImage(script: string, config: ImageParts['config'] = {}, layers: readonly Layer[] = []): Image {
  const env = ['PATH=/bin', 'GREETING=unheard', 'SELF=image'];
  return buildImage({
    layers: [base, ...layers],
    config: { Cmd: ['/bin/sh', '-c', script], Env: env, ...config },
  });
}

async function listenForReports(): Promise<{ server: Server; port: number; next: () => Promise<string> }> {
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const server = createServer(async (socket) => {
    const line = (await text(socket)).trim();
    const resolve = waiting.shift();
    if (resolve) resolve(line);
    else lines.push(line);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const next = async () =>
    lines.shift() ?? (await new Promise<string>((resolve) => void waiting.push(resolve)));
  return { server, port: address.port, next };
}

async function endAll(runtime: Runtime): Promise<void> {
  for (const { id } of await runtime.list()) {
    await runtime.stop(id, 0);
    await runtime.remove(id);
  }
}

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

/** A keeper and its runc name the state folder among their arguments. */
async function processesNaming(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(folder) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
