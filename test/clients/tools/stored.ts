/** podman and buildah, which share their store and most of their options. A layout comes into the store by skopeo. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contents } from '../contents.ts';
import { skopeoProgram } from './skopeo.ts';
import {
  type ContainerTool,
  certificateFolder,
  run,
  runWithInput,
  type Site,
  type ToolKind,
} from './tool.ts';

const both = {
  pushes: ['image', 'zstd', 'index'],
  pulls: ['image', 'zstd', 'index'],
  keepsDigests: false,
} as const;

export const podman: ToolKind = {
  name: 'podman',
  programs: ['podman'],
  ...both,
  open: async (site) => ({ ...(await openStored('podman', site)), list: (name) => podmanTags(site, name) }),
};

export const buildah: ToolKind = {
  name: 'buildah',
  programs: ['buildah'],
  ...both,
  open: (site) => openStored('buildah', site),
};

async function openStored(program: string, site: Site): Promise<ContainerTool> {
  const registry = `localhost:${site.port}`;
  const at = (name: string) => join(site.folder, name);
  await mkdir(at('s'), { recursive: true });
  const global = ['--root', at('s'), '--runroot', at('r'), '--storage-driver', 'vfs'];
  const certificates = await certificateFolder(at('certs'), site.caFile);
  const access = ['--cert-dir', certificates, '--authfile', at('auth.json')];
  const tool = (...argv: string[]) => run(program, [...global, ...argv]);
  const forget = async () => void (await tool('rmi', '--all', '--force'));
  const login = ['login', ...access, '--username', site.username, '--password-stdin', registry];
  await runWithInput(program, [...global, ...login], site.password);

  async function push({ kind, layout }: Contents, reference: string): Promise<void> {
    const stored = `containers-storage:[vfs@${at('s')}+${at('r')}]${reference}`;
    await run(skopeoProgram, ['--insecure-policy', 'copy', '--quiet', `oci:${layout}:latest`, stored]);
    const compressed = kind === 'zstd' ? ['--compression-format', 'zstd', '--format', 'oci'] : [];
    await tool('push', ...access, ...compressed, reference, `docker://${reference}`);
  }
  async function pushList(platforms: readonly Contents[], reference: string): Promise<void> {
    const list = 'localhost/list';
    await tool('manifest', 'create', list);
    for (const { layout } of platforms) await tool('manifest', 'add', list, `oci:${layout}:latest`);
    await tool('manifest', 'push', ...access, '--all', list, `docker://${reference}`);
    await tool('manifest', 'rm', list);
  }
  return {
    push: async (contents, image) => {
      const reference = `${registry}/${image}`;
      if (contents.kind === 'index') await pushList(contents.platforms, reference);
      else await push(contents, reference);
    },
    pull: async (image) => {
      await forget();
      await tool('pull', '--quiet', ...access, `${registry}/${image}`);
      return (await tool('images', '--digests', '--no-trunc')).stdout;
    },
    copy: async (from, to) => {
      await tool('pull', '--quiet', ...access, `${registry}/${from}`);
      await tool('tag', `${registry}/${from}`, `${registry}/${to}`);
      await tool('push', ...access, `${registry}/${to}`, `docker://${registry}/${to}`);
    },
    close: forget,
  };
}

/** A command that knows no folder of certificates: the authority is the system's, as far as it can tell. */
async function podmanTags({ port, folder, caFile }: Site, repository: string): Promise<readonly string[]> {
  const access = ['--authfile', join(folder, 'auth.json')];
  const search = ['search', '--list-tags', '--format', 'json', ...access, `localhost:${port}/${repository}`];
  const { stdout } = await run('podman', search, caFile === undefined ? {} : { SSL_CERT_FILE: caFile });
  const [listed]: { Tags: string[] }[] = JSON.parse(stdout);
  return listed?.Tags ?? [];
}
