/** What clients take away, and bring back. */
import { blobDelete, manifestDelete, tagDelete } from '../../src/actions/push/delete.ts';
import { trashRestore } from '../../src/actions/retain/restore.ts';
import type { RepositoryName } from '../../src/oci/reference.ts';
import { attempt, type Client } from './clients.ts';
import {
  assertRefused,
  blobKey,
  inScope,
  type ModelQuarantine,
  manifestKey,
  reachesManifest,
  tagKey,
} from './model.ts';
import { nameOfDigest, type Pushable, pushables, tags } from './universe.ts';

/** Out of the trash. */
export async function restoreSome(
  client: Client,
  repository: RepositoryName,
  pushable: Pushable,
): Promise<void> {
  const { world, op, deps } = client;
  const { model } = world;
  const { digest } = pushable.manifest;
  const reaches = (each: ModelQuarantine) =>
    inScope(each, repository) && reachesManifest(each, pushable, model.manifestsHere);
  let before = model.refusing(reaches);
  op.onTransaction = () => {
    before = model.refusing(reaches);
  };
  const arrival = model.arrives(op, manifestKey(repository.name, digest));
  await attempt(client, `restore ${repository.name} ${pushable.name}`, async () => {
    await trashRestore(deps, { repository: repository.name, reference: { digest }, actor: 'jo' });
    model.arrived(arrival);
    assertRefused(model, before.filter(reaches), `${pushable.name} was restored in ${repository.name}`);
  });
  model.arrivalEnded(arrival);
}

export async function deleteSome(
  client: Client,
  repository: RepositoryName,
  what: 'manifest' | 'tag' | 'blob',
): Promise<void> {
  const { world, op, deps } = client;
  const { model, scheduler } = world;
  const { random } = scheduler;
  const pushable = random.pick(world.settings.focus.pushables);
  const { digest } = pushable.manifest;
  const keys: string[] = [];
  const principal = 'jo';
  if (what === 'tag') {
    const tag = random.pick(tags);
    for (const each of pushables) keys.push(tagKey(repository.name, tag, each.manifest.digest));
    const ends = keys.map((key) => model.leaves(op, key));
    await attempt(client, `DELETE ${repository.name}:${tag}`, () =>
      tagDelete(deps, { repository, tag, principal }),
    );
    for (const end of ends) end();
    return;
  }
  if (what === 'manifest')
    keys.push(
      manifestKey(repository.name, digest),
      ...tags.map((tag) => tagKey(repository.name, tag, digest)),
    );
  const blob = random.pick(world.settings.focus.blobs);
  if (what === 'blob') keys.push(blobKey(repository.name, blob.digest));
  const ends = keys.map((key) => model.leaves(op, key));
  if (what === 'manifest')
    await attempt(client, `DELETE ${repository.name} ${pushable.name}`, () =>
      manifestDelete(deps, { repository, digest, principal }),
    );
  else
    await attempt(client, `DELETE ${repository.name} ${nameOfDigest(blob.digest)}`, () =>
      blobDelete(deps, { repository, digest: blob.digest, principal }),
    );
  for (const end of ends) end();
}
