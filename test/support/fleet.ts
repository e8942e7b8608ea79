/** Small verbs that build a world for fleet tests: an image in a repository, an instance, who may do what. */

import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { randomKey } from '../../src/lib/random.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { accountEnsure } from '../../src/records/access/accounts.ts';
import type { Caller, Role } from '../../src/records/access/caller.ts';
import type { Database, Tx } from '../../src/records/db/database.ts';

export function caller(principal: string, role: Role | 'operator', account: string): Caller {
  const binding =
    role === 'operator'
      ? ({ role: 'admin', account: null, repositoryGlob: null } as const)
      : { role, account, repositoryGlob: null };
  return { principal, kind: 'user', account: role === 'operator' ? null : account, bindings: [binding] };
}

export interface SeededImage {
  readonly digest: Digest;
  readonly config: Digest;
  readonly layer: Digest;
  readonly manifestId: number;
}

/** An image of one layer in `acme/shop`, tagged; its rows only, no bytes. */
export function seedImage(
  database: Database,
  options: { tag?: string; name?: string; blobs?: 'live' | 'remote' } = {},
): Promise<SeededImage> {
  const { tag = '1', name = 'image', blobs = 'live' } = options;
  return database.transact(async (tx) => {
    const repositoryId = await repository(tx);
    const [config, layer, digest] = [digestOf(`${name} config`), digestOf(`${name} layer`), digestOf(name)];
    for (const blob of [config, layer]) await seedBlob(tx, blob, blobs === 'live' ? randomKey() : null);
    const manifestId = await seedManifest(tx, { digest, repositoryId, artifactType: null });
    await edge(tx, { manifestId, kind: 'config', digest: config });
    await edge(tx, { manifestId, kind: 'layer', digest: layer });
    await tx.db
      .insertInto('tags')
      .values({
        repository_id: repositoryId,
        name: tag,
        manifest_id: manifestId,
        updated_at: 0,
        updated_by: 'jo',
      })
      .execute();
    return { digest, config, layer, manifestId };
  });
}

/** Event criteria as an artifact whose subject is the image. */
export async function attachCriteria(
  world: { database: Database; blobs: BlobStore },
  subject: Digest,
  document: unknown,
): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(document));
  const key = randomKey();
  await world.blobs.append(
    key,
    0,
    (async function* one() {
      yield bytes;
    })(),
  );
  await world.blobs.commit(key);
  return world.database.transact(async (tx) => {
    const repositoryId = await repository(tx);
    const [layer, digest] = [digestOf(bytes), digestOf(`criteria ${digestOf(bytes)} of ${subject}`)];
    await seedBlob(tx, layer, key);
    const artifactType = 'application/vnd.lazaret.event-criteria.v1+json';
    const manifestId = await seedManifest(tx, { digest, repositoryId, artifactType });
    await edge(tx, { manifestId, kind: 'layer', digest: layer });
    await edge(tx, { manifestId, kind: 'subject', digest: subject });
    return digest;
  });
}

async function repository(tx: Tx): Promise<number> {
  const accountId = await accountEnsure(tx, 'acme', 'jo');
  const known = await tx.db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', 'acme/shop')
    .executeTakeFirst();
  if (known) return known.id;
  const row = { name: 'acme/shop', account_id: accountId, home_region: 'home', created_at: 0 };
  return (await tx.db.insertInto('repositories').values(row).returning('id').executeTakeFirstOrThrow()).id;
}

async function seedBlob(tx: Tx, digest: Digest, key: string | null): Promise<void> {
  const state = key ? 'live' : 'remote';
  await tx.db
    .insertInto('blobs')
    .values({ digest, digest_sha512: null, size_bytes: 1, storage_key: key, state, stored_at: 0 })
    .onConflict((c) => c.column('digest').doNothing())
    .execute();
}

async function seedManifest(
  tx: Tx,
  manifest: { digest: Digest; repositoryId: number; artifactType: string | null },
): Promise<number> {
  const { id } = await tx.db
    .insertInto('manifests')
    .values({
      digest: manifest.digest,
      digest_sha512: null,
      kind: manifest.artifactType ? 'artifact' : 'image',
      media_type: 'application/vnd.oci.image.manifest.v1+json',
      artifact_type: manifest.artifactType,
      platform: 'linux/amd64',
      size_bytes: 1,
      body: Buffer.from('{}'),
      annotations: null,
      created_at: 0,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx.db
    .insertInto('repository_manifests')
    .values({
      repository_id: manifest.repositoryId,
      manifest_id: id,
      pushed_at: 0,
      pushed_by: 'jo',
      last_pulled_at: null,
      deleted_at: null,
      withdrawn_at: null,
    })
    .execute();
  return id;
}

async function edge(
  tx: Tx,
  { manifestId, kind, digest }: { manifestId: number; kind: 'config' | 'layer' | 'subject'; digest: Digest },
): Promise<void> {
  const descriptor = { digest, media_type: 'application/octet-stream', size_bytes: 1, diff_id: null };
  await tx.db
    .insertInto('edges')
    .values({ manifest_id: manifestId, kind, position: 0, ...descriptor })
    .execute();
}

/** An operator's quarantine of one layer, as rows. */
export async function seedQuarantine(database: Database, layer: Digest): Promise<void> {
  await database.transact(async (tx) => {
    const { id } = await tx.db
      .insertInto('quarantines')
      .values({
        uid: 'q-uid',
        name: 'Q-1',
        origin: tx.region,
        version: await tx.nextVersion(),
        scope_account: null,
        reach: 'layer',
        unknown: 'allow',
        cause: 'test',
        criteria: null,
        reason: 'a leaked key',
        ticket: null,
        author: 'sec',
        created_at: tx.nowMs,
        changed_at: tx.nowMs,
        retain_until: tx.nowMs,
        legal_hold: 0,
        legal_hold_reason: null,
        destroy_requested_at: null,
        released_at: null,
        released_by: null,
        release_reason: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const mark = { target: 'layer' as const, digest: layer, diff_id: null, repository_glob: null };
    await tx.db
      .insertInto('marks')
      .values({ quarantine_id: id, ...mark, evidence: '[]' })
      .execute();
    const marks = [{ target: 'layer', digest: layer, diffId: null, repositoryGlob: null }];
    tx.emit({ type: 'quarantine.set', lane: 'quarantine', subject: 'Q-1', actor: 'sec', data: { marks } });
  });
}
