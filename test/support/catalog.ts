import { type ManifestPut, manifestPut } from '../../src/actions/push/manifest-put.ts';
import { RunningDigests } from '../../src/actions/push/running-digests.ts';
import { uploadMonolithic } from '../../src/actions/push/upload-finish.ts';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { openMemoryStore } from '../../src/blobs/memory.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/oci/reference.ts';
import type { Database } from '../../src/records/db/database.ts';
import { type Quarantine, quarantineApply } from '../../src/records/marks/quarantines.ts';
import type { EngineWorld } from './engines.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  descriptor,
  type Image,
  jsonContent,
  mediaTypes,
} from './oci-layout.ts';

/** A catalog with accounts `acme` and `globex`, and small verbs to fill it. */
export interface Catalog {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: ManualClock;
  readonly digests: RunningDigests;
  readonly shop: RepositoryName;
  pushBlob(content: Content, repository?: RepositoryName): Promise<void>;
  put(content: Content, reference?: ManifestPut['reference'], repository?: RepositoryName): Promise<void>;
  /** Its blobs, then its manifest: by digest, or as `tag`. */
  pushImage(image: Image, tag?: string, repository?: RepositoryName): Promise<void>;
  /** As the operator, or as an account. @returns lifts it */
  quarantine(mark: {
    layer?: { digest?: Digest | undefined; diffId?: Digest };
    manifest?: Digest;
    account?: string;
  }): Promise<() => Promise<void>>;
  /** As the collector does. */
  condemn(digest: Digest): Promise<void>;
  eventTypes(): Promise<string[]>;
}

export const someone = 'jo';

export async function openCatalog(world: EngineWorld): Promise<Catalog> {
  const clock = new ManualClock();
  const database = await world.open({ clock });
  await database.transact(async (tx) => {
    for (const name of ['acme', 'globex'])
      await tx.db.insertInto('accounts').values({ name, created_at: tx.nowMs }).execute();
  });
  const blobs = await openMemoryStore({ region: 'home' });
  const deps = { database, blobs, clock, digests: new RunningDigests() };
  const shop = parseRepositoryName('acme/shop');
  const pushBlob: Catalog['pushBlob'] = async (content, repository = shop) => {
    const source = chunksOf(content.bytes);
    await uploadMonolithic(deps, { repository, digest: content.digest, source, principal: someone });
  };
  const put: Catalog['put'] = async (content, reference, repository = shop) => {
    await manifestPut(deps, {
      repository,
      reference: reference ?? { digest: content.digest },
      bytes: content.bytes,
      contentType: content.mediaType,
      principal: someone,
    });
  };
  return {
    ...deps,
    shop,
    pushBlob,
    put,
    pushImage: async (image, tag, repository) => {
      for (const blob of [image.config, ...image.layers]) await pushBlob(blob, repository);
      await put(image.manifest, tag === undefined ? undefined : { tag }, repository);
    },
    quarantine: (mark) => quarantine(database, mark),
    condemn: (digest) => condemn(database, digest),
    eventTypes: async () => {
      const rows = await database.read.selectFrom('log').select('type').orderBy('position').execute();
      return rows.map((row) => row.type);
    },
  };
}

/** An image of one layer; another `text`, another layer. */
export async function imageOf(text: string): Promise<Image> {
  return buildImage({ layers: [await buildLayer([{ path: 'app/main.js', content: text }])] });
}

export function indexOf(...children: readonly Content[]): Content {
  return jsonContent(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: children.map(descriptor),
  });
}

export async function* chunksOf(bytes: Uint8Array, chunkBytes = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

let quarantines = 0;

async function quarantine(database: Database, mark: Parameters<Catalog['quarantine']>[0]) {
  const name = `Q-${++quarantines}`;
  const change = (releasedAt: number | null) =>
    database.transact(async (tx) => {
      const version = await tx.nextVersion();
      await quarantineApply(tx, {
        ...undecided,
        uid: name,
        name,
        version,
        scopeAccount: mark.account ?? null,
        createdAt: tx.nowMs,
        changedAt: tx.nowMs,
        retainUntil: tx.nowMs,
        releasedAt,
        marks: [
          {
            target: mark.manifest ? 'manifest' : 'layer',
            digest: mark.manifest ?? mark.layer?.digest ?? null,
            diffId: mark.layer?.diffId ?? null,
            repositoryGlob: null,
            evidence: [],
          },
        ],
      });
      tx.emit({ type: 'quarantine.set', lane: 'quarantine', subject: name, actor: someone, data: {} });
    });
  await change(null);
  return () => change(1);
}

const undecided: Omit<
  Quarantine,
  | 'uid'
  | 'name'
  | 'version'
  | 'scopeAccount'
  | 'createdAt'
  | 'changedAt'
  | 'retainUntil'
  | 'releasedAt'
  | 'marks'
> = {
  origin: 'home',
  reach: 'layer',
  unknown: 'allow',
  cause: 'a person',
  criteria: null,
  reason: 'a key is in it',
  ticket: null,
  author: someone,
  legalHold: false,
  legalHoldReason: null,
  destroyRequestedAt: null,
  releasedBy: null,
  releaseReason: null,
};

/** As the collector does. */
export async function condemn(database: Database, digest: string): Promise<void> {
  await database.transact(async (tx) => {
    const blob = await tx.db
      .selectFrom('blobs')
      .selectAll()
      .where('digest', '=', digest)
      .executeTakeFirstOrThrow();
    await tx.db.deleteFrom('blob_links').where('blob_id', '=', blob.id).execute();
    await tx.db
      .updateTable('blobs')
      .set({ state: 'condemned', storage_key: null })
      .where('id', '=', blob.id)
      .execute();
    if (blob.storage_key === null) return;
    const key = { storage_key: blob.storage_key, blob_id: blob.id, size_bytes: blob.size_bytes };
    await tx.db
      .insertInto('condemned_keys')
      .values({ ...key, condemned_at: tx.nowMs })
      .execute();
  });
}
