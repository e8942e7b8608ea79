/**
 * A push as clients make it: for each blob ask whether it is here, else mount it, else upload it in one of the ways of the
 * specification; then the manifest. Every request may go to another server. An answer that lets the client skip an upload
 * is a promise that the blob stays for a while.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Content } from '../support/oci-layout.ts';
import { manifestKey, tagKey } from './promises.ts';
import type { Span } from './quarantines.ts';
import { type Answer, ask } from './request.ts';
import { graceMs, shortLimits } from './settings.ts';
import { type Actor, violate } from './storm.ts';
import { type Pushable, repositories, type SoakImage, type SoakIndex } from './universe.ts';

/** A manifest in service that names it keeps a blob as well, until its own grace is over. */
const promisedMs = Math.min(shortLimits.uploadHoldMs, graceMs);
const attemptsMax = 3;

/** From when on a blob is promised to stay, and by which answer. */
interface Promised {
  readonly from: number;
  readonly door: string;
}

/** `stopped`: refused, or an answer was lost. */
type Pushed = 'done' | 'stopped';

export async function push(
  actor: Actor,
  repository: string,
  what: Pushable,
  tag: string | undefined,
): Promise<Pushed> {
  if (what.kind === 'index') {
    for (const child of what.children)
      if ((await pushImage(actor, repository, child, undefined)) !== 'done') return 'stopped';
    return putManifest(actor, { repository, what, tag, promisedFrom: new Map() }).then((put) =>
      put === 'done' ? 'done' : 'stopped',
    );
  }
  return pushImage(actor, repository, what, tag);
}

async function pushImage(
  actor: Actor,
  repository: string,
  image: SoakImage,
  tag: string | undefined,
): Promise<Pushed> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const promisedFrom = new Map<string, Promised>();
    for (const blob of [image.config, ...image.layers]) {
      const promised = await pushBlob(actor, repository, blob);
      if (promised === undefined) return 'stopped';
      promisedFrom.set(blob.digest, promised);
      // A slow client.
      if (actor.random.chance(0.01)) await delay(actor.random.below(promisedMs * 2));
    }
    const put = await putManifest(actor, { repository, what: image, tag, promisedFrom });
    if (put !== 'again') return put;
  }
  return 'stopped';
}

/** @returns undefined: refused, or lost */
async function pushBlob(actor: Actor, repository: string, blob: Content): Promise<Promised | undefined> {
  const { storm, random } = actor;
  if (random.chance(0.9)) {
    const head = await ask(actor, { method: 'HEAD', path: `/v2/${repository}/blobs/${blob.digest}` });
    if (head.kind === 'lost') return undefined;
    if (head.status === 200) {
      assertNotReached(actor, repository, blob.digest, head, 'HEAD of a blob');
      return { from: head.startedAt, door: 'HEAD' };
    }
    if (head.status === 403) return refused(actor, [repository], blob.digest, head, 'HEAD of a blob');
    if (head.status !== 404) violate(storm, `HEAD of a blob: ${head.status}`);
  }
  if (random.chance(0.4)) {
    const from = random.pick(repositories);
    const path = `/v2/${repository}/blobs/uploads/?mount=${blob.digest}&from=${from}`;
    const mount = await ask(actor, { method: 'POST', path });
    if (mount.kind === 'lost') return undefined;
    if (mount.status === 201) {
      assertNotReached(actor, repository, blob.digest, mount, 'mount');
      assertNotReached(actor, from, blob.digest, mount, 'mount');
      return { from: mount.startedAt, door: `mount from ${from}` };
    }
    if (mount.status === 403) return refused(actor, [repository, from], blob.digest, mount, 'mount');
    if (mount.status === 202) return upload(actor, repository, blob, mount);
    violate(storm, `mount: ${mount.status} ${mount.code}`);
    return undefined;
  }
  if (random.chance(0.3)) {
    const path = `/v2/${repository}/blobs/uploads/?digest=${blob.digest}`;
    const body = await ask(actor, { method: 'POST', path, headers: octets, body: blob.bytes });
    return body.kind === 'lost' ? undefined : closed(actor, { repository, blob, awake: body }, body);
  }
  const begun = await ask(actor, { method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
  if (begun.kind === 'lost') return undefined;
  if (begun.status === 202) return upload(actor, repository, blob, begun);
  violate(storm, `an upload could not begin: ${begun.status} ${begun.code}`);
  return undefined;
}

/** A session that was idle for too long has ended, also on a machine that gives the server no time. */
function isOver({ code, endedAt }: Answer, awake: Span): boolean {
  const surelyOpenMs = shortLimits.uploadIdleMs - shortLimits.holdExtendEveryMs;
  return code === 'BLOB_UPLOAD_UNKNOWN' && endedAt - awake.startedAt >= surelyOpenMs;
}

const octets = { 'content-type': 'application/octet-stream' };

/** Goes on with a session: in chunks or at once, or never. */
async function upload(
  actor: Actor,
  repository: string,
  blob: Content,
  session: Answer,
): Promise<Promised | undefined> {
  const { storm, random } = actor;
  let location = session.headers.location ?? '';
  let awake: Span = session;
  if (random.chance(0.02)) return undefined; // goes away
  const chunks = random.below(3);
  const size = Math.ceil(blob.size / Math.max(1, chunks));
  for (let at = 0; at < chunks * size; at += size) {
    const part = blob.bytes.subarray(at, at + size);
    if (part.length === 0) break;
    const headers = { ...octets, 'content-range': `${at}-${at + part.length - 1}` };
    const patched = await ask(actor, { method: 'PATCH', path: location, headers, body: part });
    if (patched.kind === 'lost' || isOver(patched, awake)) return undefined;
    if (patched.status !== 202) {
      violate(storm, `PATCH of an upload: ${patched.status} ${patched.body.toString().slice(0, 300)}`);
      return undefined;
    }
    location = patched.headers.location ?? '';
    awake = patched;
    if (random.chance(0.02)) return undefined;
  }
  const path = `${location}?digest=${blob.digest}`;
  const rest = chunks === 0 ? { headers: octets, body: blob.bytes } : {};
  const end = await ask(actor, { method: 'PUT', path, ...rest });
  return end.kind === 'lost' ? undefined : closed(actor, { repository, blob, awake }, end);
}

interface Closing {
  readonly repository: string;
  readonly blob: Content;
  /** The last request that the session was kept awake by. */
  readonly awake: Span;
}

function closed(actor: Actor, { repository, blob, awake }: Closing, end: Answer): Promised | undefined {
  if (isOver(end, awake)) return undefined;
  if (end.status === 403) return refused(actor, [repository], blob.digest, end, 'upload');
  if (end.status !== 201) {
    violate(actor.storm, `an upload could not be closed: ${end.status} ${end.body.toString().slice(0, 300)}`);
    return undefined;
  }
  assertNotReached(actor, repository, blob.digest, end, 'upload');
  return { from: end.startedAt, door: 'upload' };
}

interface ManifestPut {
  readonly repository: string;
  readonly what: Pushable;
  readonly tag: string | undefined;
  readonly promisedFrom: ReadonlyMap<string, Promised>;
}

async function putManifest(actor: Actor, put: ManifestPut): Promise<Pushed | 'again'> {
  const { storm } = actor;
  const { repository, what, tag } = put;
  const { promises } = storm;
  const { digest, mediaType, bytes } = what.manifest;
  const manifest = promises.begin(manifestKey(repository, digest), 'here');
  const tagged = tag === undefined ? undefined : promises.begin(tagKey(repository, tag), digest);
  const children = what.kind === 'index' ? childWrites(actor, repository, what) : [];
  const answer = await ask(actor, {
    method: 'PUT',
    path: `/v2/${repository}/manifests/${tag ?? digest}`,
    headers: { 'content-type': mediaType },
    body: bytes,
  });
  const end = (outcome: 'done' | 'refused' | 'lost') => {
    const doubtful = outcome === 'done' && manifest.contested();
    for (const child of children)
      child.write.end(outcome === 'done' && !child.wasHere ? 'doubtful' : outcome);
    tagged?.end(doubtful ? 'doubtful' : outcome);
    manifest.end(outcome);
  };
  if (answer.kind === 'lost') {
    end('lost');
    return 'stopped';
  }
  end(answer.status === 201 ? 'done' : 'refused');
  if (answer.status === 201) {
    storm.counts.pushes += 1;
    const reached = storm.quarantines.certainForPush(repository, what, answer);
    if (reached) violate(storm, `P2: ${repository}@${digest} was accepted under a quarantine`);
    return 'done';
  }
  if (answer.status === 403) {
    refused(actor, [repository], what, answer, 'manifest PUT');
    return 'stopped';
  }
  if (answer.code === 'MANIFEST_BLOB_UNKNOWN') {
    assertPromiseOver(actor, put, answer);
    return 'again';
  }
  violate(storm, `manifest PUT: ${answer.status} ${answer.body.toString().slice(0, 300)}`);
  return 'stopped';
}

/** An index brings back those of its images that are in the trash: which these are is not known here. */
function childWrites({ storm: { promises } }: Actor, repository: string, index: SoakIndex) {
  return index.children.map((child) => {
    const key = manifestKey(repository, child.manifest.digest);
    const wasHere = promises.seen(key).value === 'here';
    return { wasHere, write: promises.begin(key, 'here') };
  });
}

/** What was told to be here must still have been, unless it took the client too long, or somebody took it away. */
function assertPromiseOver(
  { storm }: Actor,
  { repository, promisedFrom }: ManifestPut,
  answer: Answer,
): void {
  const body: { errors?: { detail?: { digests?: string[] } }[] } = JSON.parse(answer.body.toString());
  for (const digest of body.errors?.[0]?.detail?.digests ?? []) {
    const promised = promisedFrom.get(digest);
    if (promised === undefined || answer.endedAt > promised.from + promisedMs) continue;
    const { from, door } = promised;
    const unlinked = storm.unlinkings
      .get(`${repository} ${digest}`)
      ?.some((each) => each.startedAt <= answer.endedAt && each.endedAt >= from);
    if (unlinked || storm.quarantines.mayHaveTaken(repository, digest, from)) continue;
    const afterMs = Math.round(answer.endedAt - from);
    violate(storm, `${door} said that ${repository} has ${digest}, and it went within ${afterMs} ms`);
  }
}

function assertNotReached(
  { storm }: Actor,
  repository: string,
  digest: string,
  span: Span,
  door: string,
): void {
  if (storm.quarantines.certain(repository, digest, span))
    violate(storm, `P2: ${door} let ${digest} through in ${repository} under a quarantine`);
}

function refused(
  { storm }: Actor,
  within: readonly string[],
  what: string | Pushable,
  span: Span,
  door: string,
): undefined {
  if (!within.some((repository) => storm.quarantines.possible(repository, what, span)))
    violate(storm, `${door} was refused without a quarantine in ${within.join(', ')}`);
}
