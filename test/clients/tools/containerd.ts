/** A daemon of its own, which is driven by ctr: that pulls, unpacks and pushes with containerd's own code. */
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  answering,
  type ContainerTool,
  certificateFolder,
  ended,
  run,
  type Site,
  type ToolKind,
} from './tool.ts';

export const containerd: ToolKind = {
  name: 'containerd',
  programs: ['containerd', 'ctr'],
  pushes: ['image', 'zstd', 'index', 'artifact'],
  pulls: ['image', 'zstd', 'index'],
  keepsDigests: true,
  open: openContainerd,
};

async function openContainerd(site: Site): Promise<ContainerTool> {
  const at = (name: string) => join(site.folder, name);
  const registry = `localhost:${site.port}`;
  const hosts = await certificateFolder(at(join('hosts', registry)), site.caFile);
  const trusted = site.caFile === undefined ? '' : `  ca = "${join(hosts, 'ca.crt')}"`;
  await writeFile(join(hosts, 'hosts.toml'), `[host."https://${registry}"]\n${trusted}\n`);
  const config = [
    'version = 2',
    `root = "${at('root')}"`,
    `state = "${at('state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = "${at('socket')}"`,
  ];
  await mkdir(site.folder, { recursive: true });
  await writeFile(at('config.toml'), config.join('\n'));
  const daemon = spawn('containerd', ['--config', at('config.toml')], { stdio: 'ignore' });
  const ctr = (...argv: string[]) => run('ctr', ['--address', at('socket'), 'images', ...argv]);
  await answering(daemon, () => run('ctr', ['--address', at('socket'), 'version']));
  const access = ['--hosts-dir', at('hosts'), '--user', `${site.username}:${site.password}`];
  const forget = async () => {
    const { stdout } = await ctr('list', '--quiet');
    const names = stdout.split('\n').filter((image) => image !== '');
    if (names.length > 0) await ctr('remove', '--sync', ...names);
  };
  return {
    push: async ({ layout }, image) => {
      const reference = `${registry}/${image}`;
      const archive = at('image.tar');
      await rm(archive, { force: true });
      await run('tar', ['-cf', archive, '-C', layout, '.']);
      const into = ['--all-platforms', '--no-unpack', '--base-name', 'localhost/taken'];
      await ctr('import', ...into, archive);
      await ctr('tag', '--force', 'localhost/taken:latest', reference);
      await ctr('push', ...access, reference);
    },
    pull: async (image) => {
      await forget();
      await ctr('pull', '--snapshotter', 'native', ...access, `${registry}/${image}`);
      return (await ctr('list', `name==${registry}/${image}`)).stdout;
    },
    copy: async (from, to) => {
      await ctr('pull', '--snapshotter', 'native', ...access, `${registry}/${from}`);
      await ctr('tag', '--force', `${registry}/${from}`, `${registry}/${to}`);
      await ctr('push', ...access, `${registry}/${to}`);
    },
    close: () => ended(daemon),
  };
}
