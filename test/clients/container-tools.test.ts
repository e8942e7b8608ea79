/**
 * The clients that people have: each pushes an image to a server, pulls it back with every digest the same, and is told
 * why when the image is quarantined. A client that this machine lacks is skipped by name; CI installs all of them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianTools } from '../../scripts/debian-tools.ts';
import { busyboxLayer } from '../support/busybox.ts';
import { lazaret } from '../support/command-line.ts';
import { http } from '../support/http.ts';
import { buildImage, buildLayer, type Image, writeLayout } from '../support/oci-layout.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const run = promisify(execFile);
const stepMs = 120_000;
const skopeo = join(await debianTools(['skopeo']), 'skopeo');

/** One client, with folders and credentials of its own. */
interface ContainerTool {
  /** Takes the image of `layout` (an OCI layout) as its own, and pushes it under `reference`. */
  push(layout: string, reference: string): Promise<void>;
  /** With nothing of the image left at the client. */
  pull(reference: string): Promise<void>;
  close(): Promise<void>;
}

let server: TestServer;
let registry: string;
let password: string;
let folder: string;
let layouts: Record<'clean' | 'marked', { image: Image; path: string }>;

beforeAll(async () => {
  server = await startTestServer();
  const { credentials } = server.admin;
  password = credentials?.kind === 'basic' ? credentials.password : '';
  registry = `127.0.0.1:${new URL(server.url).port}`;
  // Short, since podman takes a run folder of at most 50 characters.
  folder = await mkdtemp(join(tmpdir(), 'c-'));
  const base = await busyboxLayer();
  const marker = await buildLayer([{ path: 'app/banned', content: 'to be marked' }]);
  layouts = {
    clean: await laidOut('clean', buildImage({ layers: [base], config: { Cmd: ['/bin/sh'] } })),
    marked: await laidOut('marked', buildImage({ layers: [base, marker], config: { Cmd: ['/bin/sh'] } })),
  };
}, stepMs);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function laidOut(name: string, image: Image) {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  await writeLayout(path, image);
  return { image, path };
}

const tools: readonly (readonly [string, (name: string) => Promise<ContainerTool>])[] = [
  ['skopeo', openSkopeo],
  ['podman', openPodman],
  ['buildah', openBuildah],
  ['docker', openDocker],
  ['containerd', openContainerd],
];
/** What a client is made of, if not of one program of its name. */
const programs: Readonly<Record<string, readonly string[]>> = {
  docker: ['docker', 'dockerd'],
  containerd: ['containerd', 'ctr'],
};
const missing = new Map<string, string>();
for (const [name] of tools) {
  const cause = await missingCause(name);
  if (cause !== undefined) missing.set(name, cause);
}

describe.each(tools)('%s', (name, open) => {
  const cause = missing.get(name);
  test.skipIf(cause !== undefined)(
    `pushes, pulls, and is told of a quarantine${cause === undefined ? '' : ` (skipped: ${cause})`}`,
    async () => {
      const tool = await open(name);
      try {
        await tool.push(layouts.clean.path, `${registry}/${name}/shop:1`);
        await tool.pull(`${registry}/${name}/shop:1`);
        await tool.push(layouts.marked.path, `${registry}/${name}/shop:2`);
        await quarantineAll(name);
        const told = { stderr: expect.stringMatching(/denied: quarantined by admin \(Q-\d+\): DRILL/) };
        await expect(tool.pull(`${registry}/${name}/shop:2`)).rejects.toMatchObject(told);
        // A client that first asks whether the blob is here stops at the 403 of its HEAD, which has no body.
        const refused = {
          stderr: expect.stringMatching(/quarantined by admin \(Q-\d+\): DRILL|403 \(?Forbidden/),
        };
        await expect(tool.push(layouts.marked.path, `${registry}/${name}/shop:3`)).rejects.toMatchObject(
          refused,
        );
        await tool.pull(`${registry}/${name}/shop:1`);
        await released(name);
        await tool.pull(`${registry}/${name}/shop:2`);
      } finally {
        await tool.close();
      }
    },
    stepMs,
  );
});

test(
  'skopeo lists and deletes tags, also of what is quarantined',
  async () => {
    const tool = await openSkopeo('skopeo-tags');
    const repository = `${registry}/listed/shop`;
    await tool.push(layouts.clean.path, `${repository}:1`);
    await tool.push(layouts.marked.path, `${repository}:2`);
    await quarantineAll('listed');
    expect(await tagsListed(repository)).toEqual(['1', '2']);
    // It asks what the tag names by GET, so that it is told why it may not have it.
    for (const tag of ['1', '2']) await deleted(`${repository}:${tag}`, tag === '2');
    expect(await tagsListed(repository)).toEqual(['2']);
    await released('listed');
    await deleted(`${repository}:2`, false);
    expect(await tagsListed(repository)).toEqual([]);
  },
  stepMs,
);

async function tagsListed(repository: string): Promise<readonly string[]> {
  const access = ['--tls-verify=false', `--creds=admin:${password}`];
  const { stdout } = await run(skopeo, ['list-tags', ...access, `docker://${repository}`]);
  const listed: { Tags: string[] } = JSON.parse(stdout);
  return listed.Tags;
}

async function deleted(reference: string, refused: boolean): Promise<void> {
  const access = ['--tls-verify=false', `--creds=admin:${password}`];
  const deletion = run(skopeo, ['delete', ...access, `docker://${reference}`]);
  if (refused) await expect(deletion).rejects.toMatchObject({ stderr: expect.stringContaining('DRILL') });
  else await deletion;
}

/** Quarantines what holds the marked file in the client's repository. */
async function quarantineAll(account: string): Promise<void> {
  await server.drain();
  const scan = ['scan', '--repositories', `${account}/**`, '--file', 'app/banned', '--effect', 'quarantine'];
  const plan = JSON.parse((await lazaret(server.admin, ...scan, '-o', 'json')).text);
  expect(plan.radius.images.length).toBeGreaterThan(0);
  await lazaret(server.admin, 'quarantine', 'apply', plan.name, '--reason', 'DRILL');
  const refused = await http(server.admin, `GET /v2/${account}/shop/manifests/2`, {
    headers: { accept: layouts.marked.image.manifest.mediaType },
  });
  expect(refused.status).toBe(403);
}

async function released(account: string): Promise<void> {
  const active = JSON.parse((await lazaret(server.admin, 'quarantine', 'ls', '-o', 'json')).text);
  expect(active, account).toHaveLength(1);
  await lazaret(server.admin, 'quarantine', 'release', active[0].name, '--reason', 'the drill is over');
}

async function missingCause(name: string): Promise<string | undefined> {
  if (name === 'skopeo') return undefined; // it is brought along
  const needed = programs[name] ?? [name];
  for (const program of needed)
    if (!(await run('which', [program]).catch(() => undefined))) return `there is no ${program}`;
  if (process.getuid?.() !== 0) return 'it is run as root here';
  return undefined;
}

async function ownFolder(name: string): Promise<string> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  return own;
}

async function openSkopeo(name: string): Promise<ContainerTool> {
  const own = await ownFolder(name);
  const copy = (side: 'src' | 'dest', from: string, to: string) => {
    const access = [`--${side}-tls-verify=false`, `--${side}-creds=admin:${password}`];
    return run(skopeo, ['--insecure-policy', 'copy', ...access, from, to]);
  };
  return {
    push: async (layout, reference) =>
      void (await copy('dest', `oci:${layout}:latest`, `docker://${reference}`)),
    pull: async (reference) => {
      await rm(join(own, 'back'), { recursive: true, force: true });
      await copy('src', `docker://${reference}`, `oci:${join(own, 'back')}:latest`);
    },
    close: async () => undefined,
  };
}

/** Podman and buildah share their store and options; a copy into it is skopeo's. */
async function openStored(name: string, own: string): Promise<ContainerTool> {
  const store = `[vfs@${join(own, 'store')}+${join(own, 'r')}]`;
  const global = ['--root', join(own, 'store'), '--runroot', join(own, 'r'), '--storage-driver', 'vfs'];
  const access = ['--tls-verify=false', '--creds', `admin:${password}`];
  const forget = async () => void (await run(name, [...global, 'rmi', '--all', '--force']));
  return {
    push: async (layout, reference) => {
      const stored = `containers-storage:${store}${reference}`;
      await run(skopeo, ['--insecure-policy', 'copy', `oci:${layout}:latest`, stored]);
      await run(name, [...global, 'push', ...access, reference, `docker://${reference}`]);
    },
    pull: async (reference) => {
      await forget();
      await run(name, [...global, 'pull', ...access, reference]);
    },
    close: forget,
  };
}

async function openPodman(name: string): Promise<ContainerTool> {
  return openStored('podman', await ownFolder(name));
}

async function openBuildah(name: string): Promise<ContainerTool> {
  return openStored('buildah', await ownFolder(name));
}

/** A daemon of its own, without a network and with the plain storage driver. */
async function openDocker(name: string): Promise<ContainerTool> {
  const own = await ownFolder(name);
  const host = `unix://${join(own, 'socket')}`;
  const folders = [
    '--data-root',
    join(own, 'data'),
    '--exec-root',
    join(own, 'exec'),
    '--pidfile',
    join(own, 'pid'),
  ];
  const quiet = ['--iptables=false', '--bridge=none', '--storage-driver', 'vfs', '--host', host];
  const daemon = spawn('dockerd', [...folders, ...quiet], { stdio: 'ignore' });
  const docker = (...argv: string[]) =>
    run('docker', ['--host', host, '--config', join(own, 'config'), ...argv], { maxBuffer: 1 << 24 });
  await answering(daemon, () => docker('info'));
  const login = docker('login', '--username', 'admin', '--password-stdin', registry);
  login.child.stdin?.end(password);
  await login;
  return {
    push: async (layout, reference) => {
      const archive = join(own, 'image.tar');
      await rm(archive, { force: true });
      await run(skopeo, [
        '--insecure-policy',
        'copy',
        `oci:${layout}:latest`,
        `docker-archive:${archive}:${reference}`,
      ]);
      await docker('load', '--input', archive);
      await docker('push', reference);
    },
    pull: async (reference) => {
      await docker('image', 'prune', '--all', '--force');
      await docker('pull', reference);
    },
    close: () => ended(daemon),
  };
}

/** A daemon of its own, which is driven by ctr: that pulls, unpacks and pushes with containerd's own code. */
async function openContainerd(name: string): Promise<ContainerTool> {
  const own = await ownFolder(name);
  const address = join(own, 'socket');
  const config = [
    'version = 2',
    `root = "${join(own, 'root')}"`,
    `state = "${join(own, 'state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = "${address}"`,
  ];
  await writeFile(join(own, 'config.toml'), config.join('\n'));
  const daemon = spawn('containerd', ['--config', join(own, 'config.toml')], { stdio: 'ignore' });
  const ctr = (...argv: string[]) => run('ctr', ['--address', address, ...argv], { maxBuffer: 1 << 24 });
  await answering(daemon, () => ctr('version'));
  const access = ['--plain-http', '--user', `admin:${password}`];
  const forget = async () => {
    const { stdout } = await ctr('images', 'list', '--quiet');
    const names = stdout.split('\n').filter((image) => image !== '');
    if (names.length > 0) await ctr('images', 'remove', '--sync', ...names);
  };
  return {
    push: async (layout, reference) => {
      const at = reference.lastIndexOf(':');
      const archive = join(own, 'image.tar');
      await rm(archive, { force: true });
      const to = `oci-archive:${archive}:${reference.slice(at + 1)}`;
      await run(skopeo, ['--insecure-policy', 'copy', `oci:${layout}:latest`, to]);
      const into = ['--snapshotter', 'native', '--base-name', reference.slice(0, at)];
      await ctr('images', 'import', ...into, archive);
      await ctr('images', 'push', ...access, reference);
    },
    pull: async (reference) => {
      await forget();
      await ctr('images', 'pull', '--snapshotter', 'native', ...access, reference);
      const pulled = await ctr('images', 'list', `name==${reference}`);
      expect(pulled.stdout).toContain(await digestAt(reference));
    },
    close: () => ended(daemon),
  };
}

/** What a tag names, as a client of HTTP sees it. */
async function digestAt(reference: string): Promise<string> {
  const [, repository, tag] = /^[^/]+\/(.+):(.+)$/.exec(reference) ?? [];
  const head = await http(server.admin, `GET /v2/${repository}/manifests/${tag}`);
  return head.headers.get('docker-content-digest') ?? 'no digest';
}

async function ended(daemon: ChildProcess): Promise<void> {
  const exit = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  await exit;
}

/** Asks until the daemon answers; its end is an error. */
async function answering(daemon: ChildProcess, ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
    if (
      await ask().then(
        () => true,
        () => false,
      )
    )
      return;
    await delay(100);
  }
}
