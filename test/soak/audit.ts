/**
 * After the storm: everything that is in service is pulled in full and every digest verified; then, once the last grace is
 * over, nothing may be left that nobody needs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../support/oci-layout.ts';
import { collectNow } from './operator.ts';
import { ask } from './request.ts';
import type { Row, Store } from './store.ts';
import { type Actor, violate } from './storm.ts';

export interface Audit {
  readonly verified: number;
  readonly broken: number;
  readonly leakedKeys: number;
  readonly leakedBytes: number;
  readonly condemnedKeys: number;
  readonly uploads: number;
}

const settleMs = 120_000;

export async function audit(actor: Actor, store: Store): Promise<Audit> {
  const first = await pullEverything(actor, store);
  await assertPromisesKept(actor, store);
  await settled(actor, store);
  const last = await pullEverything(actor, store);
  const broken = first.broken + last.broken + (await brokenFiles(actor, store));
  return { verified: last.verified, broken, ...(await leaks(actor, store)) };
}

/** Every tag and every manifest in service, with all that they need. */
async function pullEverything(actor: Actor, store: Store): Promise<{ verified: number; broken: number }> {
  let broken = 0;
  let verified = 0;
  const wholes = new Map<string, Promise<boolean>>();
  for (const row of await store.rows(inService)) {
    const references = [String(row.digest), ...(typeof row.tag === 'string' ? [row.tag] : [])];
    for (const reference of references) {
      const ok = await isWhole(actor, { repository: String(row.repository), reference, wholes });
      if (ok) verified += 1;
      else broken += 1;
    }
  }
  return { verified, broken };
}

interface Whole {
  readonly repository: string;
  readonly reference: string;
  /** Blobs that were pulled before. */
  readonly wholes: Map<string, Promise<boolean>>;
}

async function isWhole(actor: Actor, { repository, reference, wholes }: Whole): Promise<boolean> {
  const path = `/v2/${repository}/manifests/${reference}`;
  const answer = await ask(actor, {
    method: 'GET',
    path,
    headers: { accept: Object.values(mediaTypes).join(', ') },
  });
  if (answer.kind === 'lost' || answer.status !== 200) {
    const told =
      answer.kind === 'lost' ? answer.cause : `${answer.status} ${answer.body.toString().slice(0, 300)}`;
    violate(actor.storm, `broken: ${repository}/${reference}: ${told}`);
    return false;
  }
  if (digestOf(answer.body) !== answer.headers['docker-content-digest']) {
    violate(actor.storm, `broken: ${repository}/${reference} has other bytes`);
    return false;
  }
  const manifest: { config?: { digest: string }; layers?: { digest: string }[] } = JSON.parse(
    answer.body.toString(),
  );
  let ok = true;
  for (const { digest } of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])]) {
    const key = `${repository} ${digest}`;
    const pulled = wholes.get(key) ?? isWholeBlob(actor, repository, digest);
    wholes.set(key, pulled);
    ok = (await pulled) && ok;
  }
  return ok;
}

async function isWholeBlob(actor: Actor, repository: string, digest: string): Promise<boolean> {
  const answer = await ask(actor, { method: 'GET', path: `/v2/${repository}/blobs/${digest}` });
  if (answer.kind === 'answered' && answer.status === 200 && digestOf(answer.body) === digest) return true;
  const told = answer.kind === 'lost' ? answer.cause : `${answer.status} ${answer.code ?? 'other bytes'}`;
  violate(actor.storm, `broken: blob ${digest} of ${repository}: ${told}`);
  return false;
}

/** What was acknowledged, and nobody took away since. */
async function assertPromisesKept({ storm }: Actor, store: Store): Promise<void> {
  const rows = await store.rows(inService);
  const manifests = new Set(rows.map((row) => `manifest ${row.repository} ${row.digest}`));
  const tagged = new Map(
    rows.flatMap((row) => (row.tag ? [[`tag ${row.repository} ${row.tag}`, String(row.digest)]] : [])),
  );
  for (const { key, seen } of storm.promises.known()) {
    if (seen.value === undefined) continue;
    const [kind = '', repository = '', name = ''] = key.split(' ');
    const is = kind === 'tag' ? (tagged.get(key) ?? null) : manifests.has(key) ? 'here' : null;
    if (is === seen.value) continue;
    const what = storm.universe.manifest(kind === 'tag' ? (seen.value ?? '') : name);
    if (what && storm.quarantines.mayHaveTaken(repository, what, seen.since)) continue;
    violate(storm, `lost: ${key} is ${is}, and was acknowledged as ${seen.value}`);
  }
}

/** Until the queues are empty. */
async function settled(actor: Actor, store: Store): Promise<void> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    await collectNow(actor);
    const [row] = await store.rows(waiting);
    if (Number(row?.waits ?? 0) === 0) return;
    if (performance.now() > deadline) {
      violate(actor.storm, `leak: ${row?.waits} things still wait for the collector`);
      for (const item of await store.rows('select kind, digest, reason from review_queue limit 5'))
        violate(actor.storm, `leak: ${item.kind} ${item.digest} waits: ${item.reason}`);
      return;
    }
    await delay(500);
  }
}

async function brokenFiles({ storm }: Actor, store: Store): Promise<number> {
  const files = new Map((await store.files()).map((file) => [file.key, file]));
  let broken = 0;
  for (const { digest, storage_key: key } of await store.rows(
    `select digest, storage_key from blobs where state = 'live'`,
  )) {
    const file = files.get(String(key));
    if (file !== undefined && digestOf(await store.bytes(file)) === digest) continue;
    broken += 1;
    violate(
      storm,
      `broken: ${digest} is live, and its file ${file === undefined ? 'is missing' : 'differs'}`,
    );
  }
  return broken;
}

async function leaks({ storm }: Actor, store: Store) {
  const named = new Set((await store.rows(namedKeys)).map((row) => row.storage_key));
  const files = await store.files();
  const stray = files.filter(({ key }) => !named.has(key));
  for (const { size, path } of stray) violate(storm, `leak: ${size} bytes in ${path}, which no row names`);
  const free: Row[] = await store.rows(unneeded);
  for (const row of free) violate(storm, `leak: nothing needs ${row.digest}, which is ${row.state}`);
  const count = async (table: string) =>
    Number((await store.rows(`select count(*) as count from ${table}`))[0]?.count ?? 0);
  const [condemnedKeys, uploads] = [await count('condemned_keys'), await count('uploads')];
  if (condemnedKeys > 0) violate(storm, `leak: ${condemnedKeys} condemned keys`);
  if (uploads > 0) violate(storm, `leak: ${uploads} uploads`);
  const size = (rows: readonly { size: number }[]) => rows.reduce((sum, row) => sum + row.size, 0);
  const leakedBytes = size(stray) + size(free.map((row) => ({ size: Number(row.size_bytes) })));
  return { leakedKeys: stray.length + free.length, leakedBytes, condemnedKeys, uploads };
}

const inService = `select repositories.name as repository, manifests.digest, tags.name as tag
  from repository_manifests
  join repositories on repositories.id = repository_manifests.repository_id
  join manifests on manifests.id = repository_manifests.manifest_id
  left join tags on tags.repository_id = repositories.id and tags.manifest_id = manifests.id
  where repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null`;

/** What was deleted while it was quarantined, and an index in service still names: it stays as long as the index does. */
const keptByAnIndex = `select deleted.repository_id, deleted.manifest_id, manifests.digest
  from repository_manifests as deleted
  join manifests on manifests.id = deleted.manifest_id
  join edges on edges.digest = manifests.digest and edges.kind = 'child'
  join repository_manifests as above on above.manifest_id = edges.manifest_id
  where deleted.deleted_at is not null and above.deleted_at is null
    and above.repository_id = deleted.repository_id`;

const waiting = `with kept as (${keptByAnIndex})
  select (select count(*) from review_queue
      where not (kind = 'manifest' and digest in (select digest from kept)))
    + (select count(*) from uploads)
    + (select count(*) from condemned_keys)
    + (select count(*) from repository_manifests where deleted_at is not null and not exists (
        select 1 from kept where kept.repository_id = repository_manifests.repository_id
          and kept.manifest_id = repository_manifests.manifest_id)) as waits`;

const namedKeys = `select storage_key from blobs where storage_key is not null
  union select storage_key from uploads union select storage_key from condemned_keys`;

const unneeded = `select digest, state, size_bytes from blobs where state = 'live' and not exists (
  select 1 from edges join repository_manifests on repository_manifests.manifest_id = edges.manifest_id
  where edges.digest = blobs.digest and edges.kind in ('config', 'layer')
    and repository_manifests.withdrawn_at is null)`;
