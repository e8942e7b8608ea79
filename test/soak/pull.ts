/** A pull as clients make it: the manifest, then whatever it names, each digest verified. */
import { digestOf } from '../../src/oci/digest.ts';
import { type Content, mediaTypes } from '../support/oci-layout.ts';
import { manifestKey, type Seen, tagKey } from './promises.ts';
import { type Answer, type Ask, ask, type Lost } from './request.ts';
import { type Actor, violate } from './storm.ts';
import type { Pushable, SoakImage } from './universe.ts';

const accept = { accept: `${mediaTypes.manifest}, ${mediaTypes.index}` };

/** By tag. */
export async function pullTag(actor: Actor, repository: string, tag: string): Promise<void> {
  const { promises } = actor.storm;
  const key = tagKey(repository, tag);
  await pullManifest(actor, { repository, reference: tag, key, seen: promises.seen(key) });
}

/** By digest. */
export async function pullDigest(actor: Actor, repository: string, digest: string): Promise<void> {
  const { promises } = actor.storm;
  const key = manifestKey(repository, digest);
  await pullManifest(actor, { repository, reference: digest, key, seen: promises.seen(key) });
}

interface ManifestPull {
  readonly repository: string;
  readonly reference: string;
  readonly key: string;
  readonly seen: Seen;
}

async function pullManifest(actor: Actor, pull: ManifestPull): Promise<void> {
  const { storm, random } = actor;
  const { repository, reference } = pull;
  const method = random.chance(0.2) ? 'HEAD' : 'GET';
  const path = `/v2/${repository}/manifests/${reference}`;
  const answer = await ask(actor, { method, path, headers: accept });
  if (answer.kind === 'lost') return;
  switch (answer.status) {
    case 200: {
      const what = servedManifest(actor, pull, answer);
      if (!what || method === 'HEAD') return;
      storm.counts.pulls += 1;
      if (what.kind === 'image') return pullImage(actor, repository, what);
      for (const child of what.children) await pullDigest(actor, repository, child.manifest.digest);
      return;
    }
    case 403:
    case 404:
      return assertMayBeMissing(actor, pull, answer);
    default:
      violate(storm, `${method} ${path}: ${answer.status} ${answer.code}`);
  }
}

/** @returns what it is, if it is what it should be */
function servedManifest(actor: Actor, pull: ManifestPull, answer: Answer): Pushable | undefined {
  const { storm } = actor;
  const { repository, reference, key, seen } = pull;
  const name = `${repository}/${reference}`;
  const digest = answer.headers['docker-content-digest'] ?? '';
  if (answer.body.length > 0 && digestOf(answer.body) !== digest)
    violate(storm, `broken: ${name} has other bytes than ${digest}`);
  const what = storm.universe.manifest(digest);
  if (!what) {
    violate(storm, `broken: ${name} is ${digest}, which nobody pushed`);
    return undefined;
  }
  if (answer.body.length > 0 && storm.quarantines.certain(repository, what, answer))
    violate(storm, `P2: ${name} was served by ${answer.server.name} under a quarantine`);
  if (storm.promises.still(key, seen)) {
    const expected = seen.value === 'here' ? reference : seen.value;
    if (expected === null) violate(storm, `${name} is served although its deletion was acknowledged`);
    else if (expected !== digest) violate(storm, `lost: ${name} is ${digest}, not ${expected}`);
  }
  return what;
}

function assertMayBeMissing(
  actor: Actor,
  { repository, reference, key, seen }: ManifestPull,
  answer: Answer,
) {
  const { storm } = actor;
  const { quarantines, promises } = storm;
  const digest = seen.value === 'here' ? reference : seen.value;
  const what = storm.universe.manifest(digest ?? '');
  const knownToBeThere = promises.still(key, seen) && what !== undefined;
  if (answer.status === 403) {
    const causes = what && promises.still(key, seen) ? [what] : [...allPushables(actor)];
    if (!causes.some((each) => quarantines.possible(repository, each, answer)))
      violate(storm, `${repository}/${reference} was refused without a quarantine`);
    return;
  }
  if (!knownToBeThere || quarantines.possible(repository, what, answer)) return;
  if (!quarantines.mayHaveTaken(repository, what, seen.since))
    violate(storm, `lost: ${repository}/${reference} (${digest}): 404 ${answer.code}`);
}

function* allPushables({ storm: { universe } }: Actor): Generator<Pushable> {
  yield* universe.images;
  yield* universe.indexes;
  yield* universe.ownImages();
}

async function pullImage(actor: Actor, repository: string, image: SoakImage): Promise<void> {
  const { promises } = actor.storm;
  const key = manifestKey(repository, image.manifest.digest);
  const seen = promises.seen(key);
  for (const blob of [image.config, ...image.layers]) {
    const answer = await getBlob(actor, repository, blob);
    if (answer.kind === 'lost') return;
    if (answer.status === 403) {
      if (!actor.storm.quarantines.possible(repository, blob.digest, answer))
        violate(actor.storm, `${blob.digest} was refused in ${repository} without a quarantine`);
      return;
    }
    if (answer.status !== 404) continue;
    const taken = actor.storm.quarantines.mayHaveTaken(repository, image, seen.since);
    if (seen.value === 'here' && promises.still(key, seen) && !taken)
      violate(actor.storm, `broken: ${repository}@${image.manifest.digest} lacks ${blob.digest}`);
    return;
  }
}

/** The whole of it, or a part. */
async function getBlob(actor: Actor, repository: string, blob: Content): Promise<Answer | Lost> {
  const { storm, random } = actor;
  const part = random.chance(0.2) ? { start: random.below(blob.size), end: blob.size - 1 } : undefined;
  const line: Ask = {
    method: 'GET',
    path: `/v2/${repository}/blobs/${blob.digest}`,
    headers: part ? { range: `bytes=${part.start}-${part.end}` } : {},
  };
  const startedAt = performance.now();
  const mayBeCut = () =>
    storm.quarantines.possible(repository, blob.digest, { startedAt, endedAt: performance.now() });
  const answer = await ask(actor, line, mayBeCut);
  const began = answer.status === 200 || answer.status === 206;
  if (began && storm.quarantines.certain(repository, blob.digest, answer))
    violate(
      storm,
      `P2: ${blob.digest} was served in ${repository} by ${answer.server.name} under a quarantine`,
    );
  if (answer.kind === 'answered' && began) {
    const expected = answer.status === 206 ? blob.bytes.subarray(part?.start ?? 0) : blob.bytes;
    if (!answer.body.equals(expected))
      violate(storm, `broken: ${blob.digest} has other bytes in ${repository}`);
  } else if (answer.kind === 'answered' && ![403, 404].includes(answer.status))
    violate(storm, `GET of a blob: ${answer.status} ${answer.code}`);
  return answer;
}
