/** What may be begun in a region, by name, on the few things that the seed is about. */
import { type Client, head, mount, pullAll, pullBlob, pushAll, upload } from './clients.ts';
import { collectOnce, destroy, holdLegally, inspectImage, pin, release, setQuarantine } from './operators.ts';
import { deleteSome, restoreSome } from './removals.ts';
import { copyAway, followAway, pullAway } from './replica.ts';
import { tags } from './universe.ts';

export const work = {
  push: (client: Client) => {
    const { random } = client.world.scheduler;
    const withChildren = random.chance(0.7);
    const tag = random.chance(0.5) ? random.pick(tags) : '';
    return pushAll(client, {
      repository: pickRepository(client),
      pushable: pickPushable(client),
      tag,
      withChildren,
    });
  },
  pull: (client: Client) => pullAll(client, pickRepository(client), pickPushable(client)),
  uploadBlob: (client: Client) => upload(client, pickRepository(client), pickBlob(client)),
  headBlob: async (client: Client) => {
    await head(client, pickRepository(client), pickBlob(client));
  },
  pullBlob: (client: Client) => pullBlob(client, pickRepository(client), pickBlob(client)),
  mountBlob: async (client: Client) => {
    await mount(client, pickRepository(client), pickBlob(client));
  },
  removeManifest: (client: Client) => deleteSome(client, pickRepository(client), 'manifest'),
  removeTag: (client: Client) => deleteSome(client, pickRepository(client), 'tag'),
  removeBlob: (client: Client) => deleteSome(client, pickRepository(client), 'blob'),
  restore: (client: Client) => restoreSome(client, pickRepository(client), pickPushable(client)),
  inspect: (client: Client) => inspectImage(client, pickImage(client)),
  quarantine: setQuarantine,
  release,
  destroy,
  holdLegally,
  pin,
  collect: collectOnce,
} as const;

export const workAway = { follow: followAway, copy: copyAway, pull: pullAway, collect: collectOnce } as const;

export type Work = keyof typeof work | keyof typeof workAway;

function pickRepository({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.repositories);
}

function pickPushable({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.pushables);
}

function pickImage({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.images);
}

function pickBlob({ world }: Client) {
  return world.scheduler.random.pick(world.settings.focus.blobs);
}
