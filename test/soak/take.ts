/** Deletes of tags, manifests and blobs; and the way back out of the trash. */
import { call } from '../../src/client/client.ts';
import { trashRestoreRoute } from '../../src/contract/trash.ts';
import { api } from './api.ts';
import { manifestKey, tagKey, type Write } from './promises.ts';
import type { Span } from './quarantines.ts';
import { ask } from './request.ts';
import { afterDeathMs } from './settings.ts';
import { type Actor, violate } from './storm.ts';
import { imagesOf, type Pushable, tags } from './universe.ts';

export async function deleteTag(actor: Actor, repository: string, tag: string): Promise<void> {
  const { storm } = actor;
  const key = tagKey(repository, tag);
  const seen = storm.promises.seen(key);
  const alone = !storm.promises.isBeingChanged(key);
  const write = storm.promises.begin(key, null);
  const answer = await ask(actor, { method: 'DELETE', path: `/v2/${repository}/manifests/${tag}` });
  if (answer.kind === 'lost') return write.end('lost');
  const wasAlone = alone && !write.contested();
  write.end(answer.status === 202 ? 'done' : 'refused');
  if (answer.status === 202) storm.counts.deletes += 1;
  else if (answer.status !== 404) violate(storm, `DELETE of a tag: ${answer.status} ${answer.code}`);
  else if (
    wasAlone &&
    typeof seen.value === 'string' &&
    !takenMeanwhile(actor, repository, seen.value, seen.since)
  )
    violate(storm, `lost: ${repository}:${tag} could not be deleted, since it was not there`);
}

/** With its tags. */
export async function deleteManifest(actor: Actor, repository: string, what: Pushable): Promise<void> {
  const { storm } = actor;
  const { digest } = what.manifest;
  const writes = [
    storm.promises.begin(manifestKey(repository, digest), null),
    ...tagWrites(actor, repository, digest),
  ];
  const answer = await ask(actor, { method: 'DELETE', path: `/v2/${repository}/manifests/${digest}` });
  if (answer.kind === 'lost') return endAll(writes, 'lost');
  endAll(writes, answer.status === 202 ? 'done' : 'refused');
  if (answer.status === 202) storm.counts.deletes += 1;
  // 405: an index here names it.
  else if (answer.status !== 404 && answer.status !== 405)
    violate(storm, `DELETE of a manifest: ${answer.status} ${answer.code}`);
}

/** The tags that may name it: those that do will be gone, the others are not known. */
function tagWrites({ storm: { promises } }: Actor, repository: string, digest: string): Write[] {
  return tags.flatMap((tag) => {
    const key = tagKey(repository, tag);
    const { value } = promises.seen(key);
    if (value === digest) return [promises.begin(key, null)];
    return value === undefined ? [promises.begin(key, undefined)] : [];
  });
}

export async function deleteBlob(actor: Actor, repository: string, digest: string): Promise<void> {
  const { storm } = actor;
  const span: { -readonly [name in keyof Span]: number } = {
    startedAt: performance.now(),
    endedAt: Infinity,
  };
  const key = `${repository} ${digest}`;
  storm.unlinkings.set(key, [...(storm.unlinkings.get(key) ?? []).slice(-20), span]);
  const answer = await ask(actor, { method: 'DELETE', path: `/v2/${repository}/blobs/${digest}` });
  span.endedAt = performance.now() + (answer.kind === 'lost' ? afterDeathMs : 0);
  if (answer.kind === 'answered' && ![202, 404, 405].includes(answer.status))
    violate(storm, `DELETE of a blob: ${answer.status} ${answer.code}`);
}

/** A manifest with its tags. Which tags come back, and what else does, only the answer tells. */
export async function restore(actor: Actor, repository: string, what: Pushable): Promise<void> {
  const { storm } = actor;
  const { promises } = storm;
  const { digest } = what.manifest;
  const manifest = promises.begin(manifestKey(repository, digest), 'here');
  const children = imagesOf(what).filter((image) => image.manifest.digest !== digest);
  const others = [
    ...children.map((child) => promises.begin(manifestKey(repository, child.manifest.digest), undefined)),
    ...tags.map((tag) => promises.begin(tagKey(repository, tag), undefined)),
  ];
  const reference = `${repository}@${digest}`;
  const answer = await api(actor, (client) => call(client, trashRestoreRoute, { body: { reference } }));
  switch (answer.kind) {
    case 'answered':
      storm.counts.restores += 1;
      manifest.end(answer.value.manifests.includes(digest) ? 'done' : 'doubtful');
      return endAll(others, 'doubtful');
    case 'failed':
      endAll([manifest, ...others], 'refused');
      if (!['notFound', 'conflict', 'quarantined', 'nameUnknown'].includes(answer.error.code))
        violate(storm, `restore of ${reference}: ${answer.error.code}: ${answer.error.message}`);
      return;
    case 'lost':
      return endAll([manifest, ...others], 'lost');
  }
}

function takenMeanwhile({ storm }: Actor, repository: string, digest: string, since: number): boolean {
  const what = storm.universe.manifest(digest);
  return what === undefined || storm.quarantines.mayHaveTaken(repository, what, since);
}

function endAll(writes: readonly Write[], outcome: Parameters<Write['end']>[0]): void {
  for (const write of writes) write.end(outcome);
}
