import assert from 'node:assert/strict';
import { collect } from '../../src/actions/collect/collect.ts';
import type { CollectDeps } from '../../src/actions/collect/collect-deps.ts';
import { blobOpen } from '../../src/actions/pull/blob-open.ts';
import { manifestGet } from '../../src/actions/pull/manifest-get.ts';
import { manifestPut } from '../../src/actions/push/manifest-put.ts';
import { RunningDigests } from '../../src/actions/push/running-digests.ts';
import type { PushDeps } from '../../src/actions/push/upload.ts';
import { uploadMonolithic } from '../../src/actions/push/upload-finish.ts';
import { quarantineApplyPlan } from '../../src/actions/quarantine/apply.ts';
import { destroyApply, destroyPlan } from '../../src/actions/quarantine/destroy.ts';
import { type QuarantineDeps, quarantinePlan } from '../../src/actions/quarantine/plan.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { collect as collectBytes } from '../../src/lib/streams.ts';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import { parseReference, parseRepositoryName } from '../../src/oci/reference.ts';
import type { Database, Tx } from '../../src/records/db/database.ts';
import { pathsEnsure } from '../../src/records/inventory/paths.ts';
import type { EngineWorld } from './engines.ts';
import type { Content, Image, Layer } from './oci-layout.ts';

const hour = 3_600_000;

/** What an inspection found in a layer, written straight into the rows that it writes. */
export interface FoundInLayer {
  readonly packages?: readonly {
    readonly name: string;
    readonly version: string;
    readonly path?: string;
    /** A layer above hides it. */
    readonly hidden?: boolean;
  }[];
  readonly files?: readonly {
    readonly path: string;
    readonly mode?: number;
    readonly kind?: 'file' | 'whiteout';
  }[];
  /** undefined: it was not looked for. */
  readonly malware?: readonly { readonly path: string; readonly signature: string }[] | undefined;
}

/** One region over the real actions: a database of the engine, a blob store in memory, a clock moved by hand. */
export async function openHouse(world: EngineWorld, clock = new ManualClock()) {
  const database = await world.open({ clock });
  const blobs = await openMemoryStore({ region: 'home' });
  const deps: PushDeps & QuarantineDeps & CollectDeps = {
    database,
    blobs,
    clock,
    region: 'home',
    graceMs: 24 * hour,
    retention: { packagesMs: 90 * 24 * hour, harmfulMs: 30 * 24 * hour },
    digests: new RunningDigests(),
  };
  for (const name of ['acme', 'globex'])
    await database.transact(async (tx) => {
      await tx.db.insertInto('accounts').values({ name, created_at: tx.nowMs }).execute();
    });
  return { ...verbs(deps), deps, database, blobs, clock };
}

export type House = Awaited<ReturnType<typeof openHouse>>;

function verbs(deps: PushDeps & QuarantineDeps & CollectDeps) {
  const pushBlob = (repository: string, { digest, bytes }: Pick<Content, 'digest' | 'bytes'>) =>
    uploadMonolithic(deps, {
      repository: parseRepositoryName(repository),
      digest,
      source: once(bytes),
      principal: 'jo',
    });
  const putManifest = (reference: string, manifest: Content) =>
    manifestPut(deps, {
      repository: parseReference(reference).repository,
      reference: tagOrDigest(reference, manifest.digest),
      bytes: manifest.bytes,
      contentType: manifest.mediaType,
      principal: 'jo',
    });
  return {
    pushBlob,
    putManifest,
    push: async (reference: string, image: Image) => {
      const repository = parseReference(reference).repository.name;
      for (const blob of [...image.layers, image.config]) await pushBlob(repository, blob);
      return putManifest(reference, image.manifest);
    },
    pull: async (reference: string) => {
      const { repository } = parseReference(reference);
      return manifestGet(deps, { repository, reference: tagOrDigest(reference, undefined) });
    },
    pullBlob: async (repository: string, digest: Digest, mayPush = false) => {
      const name = { repository: parseRepositoryName(repository), digest, mayPush };
      const { stream } = await blobOpen(deps, name);
      return collectBytes(stream, 1 << 20);
    },
    inspected: (image: Image, found: readonly FoundInLayer[], state: 'done' | 'unknown' = 'done') =>
      keepInspection(deps.database, { image, found, state }),
    quarantine: async (
      criteria: Parameters<typeof quarantinePlan>[1]['question'],
      account: string | null = null,
      how: Pick<Parameters<typeof quarantinePlan>[1], 'reach' | 'unknown'> = { reach: 'layer' },
    ) => {
      const plan = await quarantinePlan(deps, { question: criteria, ...how, account, author: 'sec' });
      return quarantineApplyPlan(deps, { plan: plan.name, reason: 'INC-42', author: 'sec' });
    },
    destroy: async (quarantine: string) => {
      const plan = await destroyPlan(deps, { quarantine, author: 'sec' });
      return destroyApply(deps, { plan: plan.name, author: 'sec' });
    },
    /** Until nothing is left to do. */
    collect: async () => {
      let done = await collect(deps);
      for (let last = done; last.condemned + last.collected + last.manifests > 0; ) {
        last = await collect(deps);
        done = {
          manifests: done.manifests + last.manifests,
          condemned: done.condemned + last.condemned,
          collected: done.collected + last.collected,
          freedBytes: done.freedBytes + last.freedBytes,
          paused: last.paused,
        };
      }
      return done;
    },
    storedKeys: async () => (await Array.fromAsync(deps.blobs.list())).length,
  };
}

async function keepInspection(
  database: Database,
  { image, found, state }: { image: Image; found: readonly FoundInLayer[]; state: 'done' | 'unknown' },
): Promise<void> {
  await database.transact(async (tx) => {
    const { id } = await tx.db
      .selectFrom('manifests')
      .select('id')
      .where('digest', '=', image.manifest.digest)
      .executeTakeFirstOrThrow();
    for (const [at, layer] of image.layers.entries()) await keepLayer(tx, id, layer, found[at] ?? {});
    await tx.db
      .updateTable('images')
      .set({ state, ecosystems: '["npm"]' })
      .where('manifest_id', '=', id)
      .execute();
    const { digest } = image.manifest;
    tx.emit({
      type: 'image.inspected',
      lane: 'local',
      subject: digest,
      actor: 'inspector',
      data: { digest, state },
    });
  });
}

async function keepLayer(tx: Tx, manifestId: number, layer: Layer, found: FoundInLayer): Promise<void> {
  const { db } = tx;
  const blob = await db
    .selectFrom('blobs')
    .select('id')
    .where('digest', '=', layer.digest)
    .executeTakeFirstOrThrow();
  const looked = found.malware === undefined ? 0 : 1;
  const done = {
    state: 'done' as const,
    diff_id: layer.diffId,
    malware_read: looked,
    inspected_at: tx.nowMs,
  };
  const counts = { reason: null, uncompressed_bytes: 0, entries: 0, duration_ms: 1, os: null, version: 1 };
  await db
    .insertInto('inspections')
    .values({ blob_id: blob.id, ...counts, ...done })
    .onConflict((c) => c.column('blob_id').doUpdateSet(done))
    .execute();
  for (const { name, version, path = `node_modules/${name}/package.json`, hidden } of found.packages ?? []) {
    const where = {
      blob_id: blob.id,
      package_id: await packageId(tx, name, version),
      path_id: await pathId(tx, path),
    };
    await db
      .insertInto('layer_packages')
      .values({ ...where, extractor: 'npm' })
      .onConflict((c) => c.doNothing())
      .execute();
    if (hidden) continue;
    const shown = { manifest_id: manifestId, ...where };
    await db
      .insertInto('image_packages')
      .values(shown)
      .onConflict((c) => c.doNothing())
      .execute();
  }
  for (const { path, signature } of found.malware ?? [])
    await db
      .insertInto('layer_malware')
      .values({ blob_id: blob.id, path_id: await pathId(tx, path), signature })
      .onConflict((c) => c.doNothing())
      .execute();
  for (const { path, mode = 0o644, kind = 'file' } of found.files ?? []) {
    const file = {
      blob_id: blob.id,
      path_id: await pathId(tx, path),
      kind,
      size_bytes: 1,
      mode,
      sha256: null,
    };
    await db
      .insertInto('layer_files')
      .values(file)
      .onConflict((c) => c.doNothing())
      .execute();
  }
}

async function packageId({ db, nowMs }: Tx, name: string, version: string): Promise<number> {
  const purl = `pkg:npm/${name}@${version}`;
  const row = { purl, purl_type: 'npm', ecosystem: 'npm', name, version, first_seen_at: nowMs };
  const rest = { source_name: null, source_version: null, license: null, spdx: null };
  await db
    .insertInto('packages')
    .values({ ...row, ...rest })
    .onConflict((c) => c.doNothing())
    .execute();
  return (await db.selectFrom('packages').select('id').where('purl', '=', purl).executeTakeFirstOrThrow()).id;
}

async function pathId(tx: Tx, path: string): Promise<number> {
  const id = (await pathsEnsure(tx, [path])).get(path);
  assert(id !== undefined);
  return id;
}

function tagOrDigest(reference: string, fallback: Digest | undefined) {
  const { tag, digest } = parseReference(reference);
  if (tag !== undefined) return { tag };
  return { digest: digest ?? parseDigest(fallback ?? '') };
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}
