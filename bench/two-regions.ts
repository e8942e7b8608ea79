/** Two regions and an instance, as in the demo: two servers and an agent with runc, each a process of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildEventCriteria } from '../demo/images.ts';
import { Narrator } from '../demo/narrator.ts';
import { prepareMachine } from '../demo/preconditions.ts';
import { Story } from '../demo/story.ts';
import { instanceName, World } from '../demo/world.ts';
import { call } from '../src/client/client.ts';
import { grantCreate } from '../src/contract/grants.ts';
import { imageShow } from '../src/contract/images.ts';
import { instanceCreate, instanceList } from '../src/contract/instances.ts';
import { busyboxLayer } from '../test/support/busybox.ts';
import { buildImage, buildLayer, type Image } from '../test/support/oci-layout.ts';
import type { BenchOptions } from './benchmark.ts';

export async function withTwoRegions(
  { folder, signal }: BenchOptions,
  work: (story: Story) => Promise<void>,
): Promise<void> {
  const narrator = new Narrator({ styled: false, signal });
  const world = await World.open({ folder, tools: await prepareMachine(), narrator, signal });
  try {
    await work(new Story({ world, narrator, signal }));
  } finally {
    await world.close();
  }
}

/** An instance of globex in `away`, with its agent, that may run what acme has. */
export async function startInstance(story: Story): Promise<void> {
  const { world, signal } = story;
  const { home, away, people } = world;
  const atHome = { url: home.url, credentials: people.globex.credentials };
  const created = await call(
    { ...atHome, url: away.url },
    instanceCreate,
    { body: { name: instanceName, account: 'globex' } },
    { signal },
  );
  const grant = { grantee: 'globex', repositoryGlob: 'acme/**' };
  await call(
    { url: home.url, credentials: people.acme.credentials },
    grantCreate,
    { body: grant },
    { signal },
  );
  const secretFile = join(world.folder, 'instance.secret');
  await writeFile(secretFile, created.secret, { mode: 0o600 });
  await world.startAgent(secretFile);
  await story.until('the instance to be known in home', async () => {
    const { instances } = await call(atHome, instanceList, {}, { signal });
    return instances.some(({ name }) => name === instanceName);
  });
}

/** A package that nothing else has, so that what is said of it concerns one image. */
export interface Subject {
  readonly repository: string;
  readonly packageName: string;
  readonly image: Image;
}

/** It waits in a shell that ends at once at TERM. */
const command = ['/bin/sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'];

/** Pushes an image over busybox with a package of its own and the event criteria of the demo; waits until it is inspected. */
export async function pushSubject(story: Story, name: string): Promise<Subject> {
  const { world, signal } = story;
  const { home, people } = world;
  const packageJson = JSON.stringify({ name, version: '1.0.0' });
  const own = await buildLayer([{ path: `app/node_modules/${name}/package.json`, content: packageJson }]);
  const image = buildImage({ layers: [await busyboxLayer(), own], config: { Cmd: command } });
  const repository = `acme/${name}`;
  const registry = story.registry(home, people.acme, repository);
  await registry.pushImage(image, '1');
  const { manifest, blobs } = await buildEventCriteria(image.manifest);
  for (const blob of blobs) await registry.pushBlob(blob);
  await registry.pushManifest(manifest);
  const client = { url: home.url, credentials: people.acme.credentials };
  await story.until(`${repository} to be inspected`, async () => {
    const query = { reference: `${repository}:1` };
    return (await call(client, imageShow, { query }, { signal })).state === 'done';
  });
  return { repository, packageName: name, image };
}
