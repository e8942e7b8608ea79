import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Catalog, chunksOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines } from '../../../test/support/engines.ts';
import { type Content, content } from '../../../test/support/oci-layout.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { digestOf, parseDigest } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { blobHead, blobOpen } from '../pull/blob-open.ts';
import { RunningDigests } from './running-digests.ts';
import { uploadAppend, uploadCancel, uploadStart, uploadStatus } from './upload.ts';
import { uploadFinish, uploadMonolithic } from './upload-finish.ts';

const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, n) => n % 251));
const blob: Content = content('application/octet-stream', bytes);

describeEngines('an upload', (world) => {
  const start = (catalog: Catalog) =>
    uploadStart(catalog, { repository: catalog.shop, principal: someone }).then(({ uploadId }) => ({
      repository: catalog.shop,
      uploadId,
      principal: someone,
    }));

  it('is a blob after chunks and a closing digest', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    const first = { source: chunksOf(bytes.subarray(0, 2_000)), range: { start: 0, end: 1_999 } };
    expect(await uploadAppend(catalog, { ...session, ...first })).toEqual({ offset: 2_000 });
    const last = { source: chunksOf(bytes.subarray(2_000)), digest: blob.digest };
    expect(await uploadFinish(catalog, { ...session, ...last })).toEqual({
      digest: blob.digest,
      sizeBytes: 5_000,
    });
    expect(await pulled(catalog)).toEqual(bytes);
    await expect(uploadStatus(catalog, session)).rejects.toMatchObject({ code: 'uploadUnknown' });
  });

  it('goes on where it was cut off', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    const cut = uploadAppend(catalog, { ...session, source: cutAfter(3_000) });
    await expect(cut).rejects.toThrow('connection reset');
    expect(await uploadStatus(catalog, session)).toEqual({ offset: 3_000 });
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes.subarray(3_000)) });
    await uploadFinish(catalog, { ...session, digest: blob.digest });
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('goes on after a restart, when nothing but the stored bytes is left', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes.subarray(0, 3_000)) });
    const restarted = { ...catalog, digests: new RunningDigests() };
    const rest = { source: chunksOf(bytes.subarray(3_000)), digest: blob.digest };
    await uploadFinish(restarted, { ...session, ...rest });
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('is read again at its end when another process may have written to it after it was hashed here', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes) });
    await uploadAppend(
      { ...catalog, digests: new RunningDigests() },
      { ...session, source: chunksOf(Buffer.of()) },
    );
    const { blobs } = catalog;
    const overwritten: BlobStore = {
      ...{ notes: blobs.notes, list: () => blobs.list(), close: async () => undefined },
      append: (...args) => blobs.append(...args),
      length: (key) => blobs.length(key),
      read: (...args) => blobs.read(...args),
      delete: (keys) => blobs.delete(keys),
      commit: async (key) => {
        await blobs.delete([key]);
        await blobs.append(key, 0, chunksOf(bytes.map((byte) => byte + 1)));
        await blobs.commit(key);
      },
    };
    const closing = uploadFinish({ ...catalog, blobs: overwritten }, { ...session, digest: blob.digest });
    await expect(closing).rejects.toMatchObject({ code: 'digestInvalid' });
  });

  it('stays usable when a chunk does not start where it stands', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes.subarray(0, 1_000)) });
    const gap = { source: chunksOf(bytes.subarray(2_000)), range: { start: 2_000, end: 4_999 } };
    await expect(uploadAppend(catalog, { ...session, ...gap })).rejects.toMatchObject({
      code: 'uploadRange',
    });
    const rest = { source: chunksOf(bytes.subarray(1_000)), digest: blob.digest };
    await uploadFinish(catalog, { ...session, ...rest });
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('is told when a chunk is shorter or longer than its range', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    const range = { start: 0, end: 1_999 };
    for (const source of [chunksOf(bytes.subarray(0, 2_500)), chunksOf(bytes.subarray(0, 500))]) {
      await expect(uploadAppend(catalog, { ...session, source, range })).rejects.toMatchObject({
        code: expect.stringMatching(/sizeInvalid|uploadRange/),
      });
    }
    expect((await uploadStatus(catalog, session)).offset).toBe(2_000);
  });

  it.each([
    ['in one request', new RunningDigests()],
    ['and nothing was hashed on the way', { begin: () => {}, also: () => {}, forget: () => {} }],
  ])('with another digest ends and leaves nothing visible %s', async (_case, digests) => {
    const catalog = await openCatalog(world);
    const unhashed = Object.assign(new RunningDigests(), digests);
    const wrong = digestOf('something else');
    const push = { repository: catalog.shop, principal: someone, digest: wrong, source: chunksOf(bytes) };
    await expect(uploadMonolithic({ ...catalog, digests: unhashed }, push)).rejects.toMatchObject({
      code: 'digestInvalid',
      detail: { digest: wrong, found: blob.digest },
    });
    expect(await catalog.database.read.selectFrom('blobs').selectAll().execute()).toEqual([]);
    expect(await catalog.database.read.selectFrom('uploads').selectAll().execute()).toEqual([]);
    expect(await keysToSweep(catalog)).toHaveLength(1);
  });

  it('may be closed by a sha512, and is found by both digests', async () => {
    const catalog = await openCatalog(world);
    const sha512 = parseDigest(`sha512:${createHash('sha512').update(bytes).digest('hex')}`);
    const session = await start(catalog);
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes) });
    await uploadFinish(catalog, { ...session, digest: sha512 });
    for (const digest of [sha512, blob.digest])
      expect(await blobHead(catalog, { repository: catalog.shop, digest })).toEqual({
        digest,
        sizeBytes: 5_000,
      });
  });

  it('may be empty', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    const digest = digestOf('');
    expect(await uploadFinish(catalog, { ...session, digest })).toEqual({ digest, sizeBytes: 0 });
  });

  it('keeps one copy when the digest is there already, and sweeps the other', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    await catalog.pushBlob(blob, parseRepositoryName('globex/app'));
    expect(await catalog.database.read.selectFrom('blobs').selectAll().execute()).toHaveLength(1);
    expect(await catalog.database.read.selectFrom('blob_links').selectAll().execute()).toHaveLength(2);
    expect(await keysToSweep(catalog)).toHaveLength(1);
    await catalog.blobs.delete(await keysToSweep(catalog));
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('succeeds in every session when several with one digest end at once', async () => {
    const catalog = await openCatalog(world);
    await Promise.all(Array.from({ length: 6 }, () => catalog.pushBlob(blob)));
    expect(await catalog.database.read.selectFrom('blobs').selectAll().execute()).toHaveLength(1);
    expect(await keysToSweep(catalog)).toHaveLength(5);
    await catalog.blobs.delete(await keysToSweep(catalog));
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('of a condemned digest makes it live again under the new key', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    await catalog.condemn(blob.digest);
    await expect(blobHead(catalog, { repository: catalog.shop, digest: blob.digest })).rejects.toMatchObject({
      code: 'blobUnknown',
    });
    await catalog.pushBlob(blob);
    await catalog.blobs.delete(await keysToSweep(catalog));
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('that began before a quarantine is refused at its end, and its session dropped', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes) });
    const release = await catalog.quarantine({ layer: { digest: blob.digest } });
    const finish = uploadFinish(catalog, { ...session, digest: blob.digest });
    await expect(finish).rejects.toMatchObject({ code: 'quarantined', detail: { reason: 'a key is in it' } });
    await expect(uploadStatus(catalog, session)).rejects.toMatchObject({ code: 'uploadUnknown' });
    expect(await catalog.database.read.selectFrom('blobs').selectAll().execute()).toEqual([]);
    expect(await keysToSweep(catalog)).toHaveLength(1);
    await release();
    await catalog.pushBlob(blob);
    expect(await pulled(catalog)).toEqual(bytes);
  });

  it('is held and reviewed after its end', async () => {
    const catalog = await openCatalog(world);
    await catalog.pushBlob(blob);
    const holds = await catalog.database.read.selectFrom('holds').selectAll().execute();
    expect(holds).toMatchObject([
      { kind: 'upload', digest: blob.digest, expires_at: catalog.clock.wallMs() + limits.uploadHoldMs },
    ]);
    const reviews = await catalog.database.read.selectFrom('review_queue').selectAll().execute();
    expect(reviews).toMatchObject([{ kind: 'blob', digest: blob.digest }]);
  });

  it('that is cancelled is unknown, and its bytes are swept', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    await uploadAppend(catalog, { ...session, source: chunksOf(bytes) });
    await uploadCancel(catalog, session);
    await expect(uploadCancel(catalog, session)).rejects.toMatchObject({ code: 'uploadUnknown' });
    expect(await keysToSweep(catalog)).toHaveLength(1);
  });

  it('whose bytes come after its session has ended and was swept leaves none of them', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    const late = uploadAppend(catalog, { ...session, source: afterwards() });
    async function* afterwards() {
      await uploadCancel(catalog, session);
      await catalog.blobs.delete(await keysToSweep(catalog));
      await catalog.database.transact((tx) => tx.db.deleteFrom('condemned_keys').execute());
      yield* chunksOf(bytes);
    }
    await expect(late).rejects.toMatchObject({ code: 'uploadUnknown' });
    expect(await keysToSweep(catalog)).toHaveLength(1);
  });

  it('is only known in its own repository', async () => {
    const catalog = await openCatalog(world);
    const session = await start(catalog);
    const other = { ...session, repository: parseRepositoryName('globex/app') };
    await expect(uploadStatus(catalog, other)).rejects.toMatchObject({ code: 'uploadUnknown' });
  });

  it('is refused for an account that does not exist, and in a replica', async () => {
    const catalog = await openCatalog(world);
    const nobody = { repository: parseRepositoryName('nobody/app'), principal: someone };
    await expect(uploadStart(catalog, nobody)).rejects.toMatchObject({
      code: 'denied',
      message: "account 'nobody' does not exist",
    });
    await start(catalog);
    await catalog.database.transact((tx) =>
      tx.db.updateTable('repositories').set({ home_region: 'eu' }).execute(),
    );
    await expect(start(catalog)).rejects.toMatchObject({ code: 'readOnlyReplica' });
  });
});

async function pulled(catalog: Catalog): Promise<Buffer> {
  const { stream } = await blobOpen(catalog, { repository: catalog.shop, digest: blob.digest });
  return collect(stream, bytes.length);
}

async function keysToSweep(catalog: Catalog): Promise<string[]> {
  const rows = await catalog.database.read.selectFrom('condemned_keys').select('storage_key').execute();
  return rows.map((row) => row.storage_key);
}

async function* cutAfter(length: number) {
  yield* chunksOf(bytes.subarray(0, length));
  throw new Error('connection reset');
}
