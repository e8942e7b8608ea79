import { join } from 'node:path';
import { call } from '../src/client/client.ts';
import { instanceList } from '../src/contract/instances.ts';
import { shortPath } from './repository.ts';
import type { Story } from './story.ts';
import { instanceName } from './world.ts';

/** Registers a machine of globex in away. @returns where the secret of its agent is */
export async function registerInstance(story: Story): Promise<string> {
  const { narrator, world, signal } = story;
  const { home, away, people } = world;
  const secretFile = join(world.folder, `${instanceName}.secret`);
  const args = [
    'instance',
    'add',
    instanceName,
    '--account',
    'globex',
    '--secret-file',
    shortPath(secretFile),
  ];
  await narrator.check('globex registers a machine of its own in away; home hears of it', async () => {
    await people.globex.lazaret(away, args);
    const client = { url: home.url, credentials: people.globex.credentials };
    await story.until('the instance to be known in home', async () => {
      const { instances } = await call(client, instanceList, {}, { signal });
      return instances.some(({ name }) => name === instanceName);
    });
  });
  return secretFile;
}
