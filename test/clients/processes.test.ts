/** A real client against a server of two processes: the kernel gives each of its connections to one of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openAuthority } from '../support/certificates.ts';
import { startServing } from '../support/serve.ts';
import { writeAllContents } from './contents.ts';
import { skopeo } from './tools/skopeo.ts';

it('skopeo pushes, copies, lists, pulls and deletes over the processes of one server', async () => {
  const authority = await openAuthority();
  onTestFinished(() => authority.close());
  const folder = await mkdtemp(join(tmpdir(), 'c-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { cert, key } = await authority.issue('registry');
  const serving = await startServing({
    LAZARET_HTTP_PROCESSES: '2',
    LAZARET_LISTEN_TLS_CERT: cert,
    LAZARET_LISTEN_TLS_KEY: key,
  });
  onTestFinished(serving.close);
  const { url, credentials } = serving.admin;
  const tool = await skopeo.open({
    port: Number(new URL(url).port),
    caFile: authority.caFile,
    username: 'admin',
    password: credentials?.kind === 'basic' ? credentials.password : '',
    folder,
  });
  const contents = await writeAllContents(folder);
  for (const each of [contents.image, contents.index, contents.artifact]) {
    await tool.push(each, `default/shop:${each.kind}`);
    expect(await tool.pull(`default/shop:${each.kind}`)).toContain(each.root.digest);
  }
  await tool.copy('default/shop:image', 'default/copies:image');
  expect(await tool.list?.('default/shop')).toEqual(['artifact', 'image', 'index']);
  await tool.remove?.('default/shop:artifact');
  expect(await tool.list?.('default/shop')).toEqual(['image', 'index']);
  await expect(tool.pull('default/shop:artifact')).rejects.toMatchObject({
    stderr: expect.stringContaining('manifest unknown'),
  });
  const { log } = serving;
  expect(new Set(log.filter(({ msg }) => msg === 'request').map((line) => line.process)).size).toBe(2);
}, 120_000);
