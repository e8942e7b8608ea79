/**
 * Docker's engine and command, the engine as a daemon of its own, without a network and with the plain storage driver.
 *
 * The engine takes any certificate from 127.0.0.0/8, so it reaches the server by another name, at ::1: a mount namespace of
 * its own gives it a file of hosts, and the folder of certificates that it reads. The command runs there as well.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Contents } from '../contents.ts';
import { skopeoProgram } from './skopeo.ts';
import {
  answering,
  type ContainerTool,
  certificateFolder,
  ended,
  run,
  runWithInput,
  type Site,
  type ToolKind,
} from './tool.ts';

/** The engine's own: another on the PATH may be newer, and such a one takes ::1 for as safe as 127.0.0.1. */
const program = '/usr/bin/docker';
const hostName = 'registry.test';

export const docker: ToolKind = {
  name: 'docker',
  programs: [program, 'dockerd', 'nsenter', 'unshare'],
  // This engine's tar knows no zstd.
  pushes: ['image', 'index'],
  pulls: ['image', 'index'],
  keepsDigests: false,
  open: openDocker,
};

async function openDocker(site: Site): Promise<ContainerTool> {
  const { registry, tool, close } = await startEngine(site);
  async function push({ layout }: Contents, reference: string): Promise<void> {
    const archive = join(site.folder, 'image.tar');
    await rm(archive, { force: true });
    const to = `docker-archive:${archive}:${reference}`;
    const any = ['--override-arch', (await architectureOf(layout)) ?? ''];
    await run(skopeoProgram, ['--insecure-policy', ...any, 'copy', '--quiet', `oci:${layout}:latest`, to]);
    await tool('load', '--input', archive);
    await tool('push', '--quiet', reference);
  }
  async function pushList(platforms: readonly Contents[], reference: string): Promise<void> {
    const parts = platforms.map((_, at) => `${reference}-${at}`);
    for (const [at, platform] of platforms.entries()) await push(platform, parts[at] ?? '');
    await tool('manifest', 'create', reference, ...parts);
    await tool('manifest', 'push', '--purge', reference);
  }
  return {
    push: async (contents, image) => {
      const reference = `${registry}/${image}`;
      if (contents.kind === 'index') await pushList(contents.platforms, reference);
      else await push(contents, reference);
    },
    pull: async (image) => {
      await tool('image', 'prune', '--all', '--force');
      await tool('pull', '--quiet', `${registry}/${image}`);
      return (await tool('images', '--digests', '--no-trunc')).stdout;
    },
    copy: async (from, to) => {
      await tool('pull', '--quiet', `${registry}/${from}`);
      await tool('tag', `${registry}/${from}`, `${registry}/${to}`);
      await tool('push', '--quiet', `${registry}/${to}`);
    },
    close,
  };
}

/** The engine, with the command logged in. `tool` runs the command. */
async function startEngine({ port, caFile, username, password, folder }: Site) {
  const door = await openDoor(port);
  const registry = `${hostName}:${door.port}`;
  const at = (name: string) => join(folder, name);
  await mkdir(at('etc'), { recursive: true });
  await certificateFolder(at(join('etc', 'certs.d', registry)), caFile);
  await writeFile(at('hosts'), `::1 ${hostName}\n127.0.0.1 localhost\n`);
  const host = ['--host', `unix://${at('socket')}`];
  const folders = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const quiet = ['--iptables=false', '--bridge=none', '--storage-driver', 'vfs'];
  const engine = inNamespace(folder, ['dockerd', ...folders, ...quiet, ...host]);
  const daemon = spawn('unshare', engine, { stdio: 'ignore' });
  const inside = ['--target', String(daemon.pid), '--mount', program, '--config', at('config'), ...host];
  const tool = (...argv: string[]) => run('nsenter', [...inside, ...argv]);
  const close = async () => {
    await ended(daemon);
    door.close();
  };
  try {
    await answering(daemon, () => tool('info'));
    const login = ['login', '--username', username, '--password-stdin', registry];
    await runWithInput('nsenter', [...inside, ...login], password);
  } catch (error) {
    await close();
    throw error;
  }
  return { registry, tool, close };
}

function inNamespace(folder: string, command: readonly string[]): string[] {
  const script = `
    mkdir -p /etc/docker && mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/etc" /etc/docker || exit 1
    shift
    exec "$@"`;
  return ['--mount', 'sh', '-c', script, 'sh', folder, ...command];
}

async function architectureOf(layout: string): Promise<string | undefined> {
  const { stdout } = await run(skopeoProgram, ['inspect', '--config', `oci:${layout}:latest`]);
  const config: { architecture?: string } = JSON.parse(stdout);
  return config.architecture;
}

/** The server at a port of ::1. */
async function openDoor(serverPort: number): Promise<{ port: number; close: () => void }> {
  const door = createServer((client: Socket) => {
    const server = connect(serverPort, '127.0.0.1');
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server).pipe(client);
  }).listen(0, '::1');
  await once(door, 'listening');
  const address = door.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return { port: address.port, close: () => void door.close() };
}
