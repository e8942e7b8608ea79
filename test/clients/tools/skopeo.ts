import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { debianTools } from '../../../scripts/debian-tools.ts';
import {
  type ContainerTool,
  certificateFolder,
  run,
  runWithInput,
  type Site,
  type ToolKind,
} from './tool.ts';

export const skopeoProgram = join(await debianTools(['skopeo']), 'skopeo');

export const skopeo: ToolKind = {
  name: 'skopeo',
  programs: [],
  pushes: ['image', 'zstd', 'index', 'artifact'],
  pulls: ['image', 'zstd', 'index', 'artifact'],
  keepsDigests: true,
  open: openSkopeo,
};

async function openSkopeo({ port, caFile, username, password, folder }: Site): Promise<ContainerTool> {
  const registry = `localhost:${port}`;
  const certificates = await certificateFolder(join(folder, 'certs'), caFile);
  const authfile = join(folder, 'auth.json');
  const access = ['--cert-dir', certificates, '--authfile', authfile];
  const side = (name: 'dest' | 'src') => [
    `--${name}-cert-dir=${certificates}`,
    `--${name}-authfile=${authfile}`,
  ];
  const copy = (...argv: string[]) =>
    run(skopeoProgram, ['--insecure-policy', 'copy', '--quiet', '--all', '--preserve-digests', ...argv]);
  const login = ['login', ...access, '--username', username, '--password-stdin', registry];
  await runWithInput(skopeoProgram, login, password);
  return {
    push: async ({ layout }, image) =>
      void (await copy(...side('dest'), `oci:${layout}:latest`, `docker://${registry}/${image}`)),
    pull: async (image) => {
      const back = join(folder, 'back');
      await rm(back, { recursive: true, force: true });
      await copy(...side('src'), `docker://${registry}/${image}`, `oci:${back}:latest`);
      return readFile(join(back, 'index.json'), 'utf8');
    },
    copy: async (from, to) => {
      const both = [...side('src'), ...side('dest')];
      await copy(...both, `docker://${registry}/${from}`, `docker://${registry}/${to}`);
    },
    list: async (repository) => {
      const { stdout } = await run(skopeoProgram, [
        'list-tags',
        ...access,
        `docker://${registry}/${repository}`,
      ]);
      const listed: { Tags: string[] } = JSON.parse(stdout);
      return listed.Tags;
    },
    remove: async (image) =>
      void (await run(skopeoProgram, ['delete', ...access, `docker://${registry}/${image}`])),
    close: async () => undefined,
  };
}
