import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  all,
  blobStoreContract,
  expectCode,
  inChunks,
  newKey,
} from '../../test/support/blob-store-contract.ts';
import { severalProcessesContract } from '../../test/support/blob-store-processes.ts';
import { type FaultyProxy, startFaultyProxy } from '../../test/support/faulty-proxy.ts';
import { FaultyStore } from '../../test/support/faulty-store.ts';
import { type S3Server, s3Server } from '../../test/support/s3-server.ts';
import { causeChain } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { collect } from '../lib/streams.ts';
import type { BlobStore } from './blob-store.ts';
import { openS3Store } from './s3.ts';
import { S3Requests } from './s3-client.ts';
import type { S3Config } from './s3-config.ts';

const part = limits.storePartBytes;
const testMs = 120_000;
const found = await s3Server();

if ('missing' in found) test.skip(`the S3 store: ${found.missing}`, () => {});
else {
  const place = async () => {
    const config = found.place();
    return { open: (region: string) => openS3Store({ config, region }), remove: async () => {} };
  };
  blobStoreContract('the S3 store', place);
  severalProcessesContract('the S3 store', place);
  describe('the S3 store', { timeout: testMs }, () => {
    uploadTests(found);
    wholeStoreTests(found);
    faultTests(found);
  });
}

function uploadTests({ place }: S3Server): void {
  let config: S3Config;
  let store: BlobStore;
  let requests: S3Requests;
  const open = () => openS3Store({ config, region: 'home' });
  const multiparts = () => all(requests.multiparts(''));
  const objects = async () => (await all(requests.list(''))).map(({ name }) => name).sort();

  beforeEach(async () => {
    config = place();
    store = await open();
    requests = new S3Requests(config);
  });
  afterEach(async () => {
    await store.close();
    requests.close();
  });

  test('goes on with an upload in another process, across the borders of parts, and leaves only the blob', async () => {
    const content = randomBytes(2 * part + 700_000);
    const key = newKey();
    let offset = 0;
    for (const end of [1_000, part - 1, part + 5, 2 * part, content.byteLength]) {
      const writer = await open();
      expect(await writer.length(key)).toBe(offset);
      offset = await writer.append(key, offset, inChunks(content.subarray(offset, end), 300_000));
      expect(offset).toBe(end);
      await writer.close();
    }
    await store.commit(key);
    expect((await collect((await store.read(key)).stream, 3 * part)).equals(content)).toBe(true);
    expect(await objects()).toEqual([`blobs/${key}`, 'region.json']);
    expect(await multiparts()).toEqual([]);
  });

  test('keeps the parts, and tells their length, when a process died before it wrote the rest', async () => {
    const content = randomBytes(part + 400_000);
    const key = newKey();
    await store.append(key, 0, inChunks(content, 1_000_000));
    await requests.put(`uploads/${key}`, Buffer.of(), {
      metadata: { start: '0', multipart: (await multiparts())[0]?.id ?? '' },
    });
    expect(await store.length(key)).toBe(part);
    await store.append(key, part, inChunks(content.subarray(part), 1_000_000));
    await store.commit(key);
    expect((await collect((await store.read(key)).stream, 2 * part)).equals(content)).toBe(true);
  });

  test('ends a multipart upload that a process began and died before it could write it down', async () => {
    const [committed, deleted] = [newKey(), newKey()];
    for (const key of [committed, deleted]) await requests.multipartBegin(`blobs/${key}`);
    expect((await all(store.list())).map(({ key, committed }) => ({ key, committed }))).toEqual(
      [committed, deleted].sort().map((key) => ({ key, committed: false })),
    );
    await store.append(committed, 0, inChunks(randomBytes(part + 1), 1_000_000));
    await store.commit(committed);
    await store.delete([deleted]);
    expect(await multiparts()).toEqual([]);
  });

  test('deletes many keys at once, with their parts and rests, and no others', async () => {
    const keys = Array.from({ length: 12 }, newKey);
    const [large = '', kept = '', ...small] = keys;
    for (const key of [large, kept]) await store.append(key, 0, inChunks(randomBytes(part + 1), 1_000_000));
    for (const key of small) await store.append(key, 0, inChunks(randomBytes(9), 9));
    await store.commit(small[0] ?? '');
    await store.delete(keys.filter((key) => key !== kept));
    expect((await all(store.list())).map(({ key }) => key)).toEqual([kept]);
    expect((await multiparts()).map(({ name }) => name)).toEqual([`blobs/${kept}`]);
  });

  test.each([9, part + 9])(
    'a delete by another process wins over the commit of %i bytes, and over the append before it',
    async (bytes) => {
      const other = await open();
      const key = newKey();
      await store.append(key, 0, inChunks(randomBytes(bytes), 1_000_000));
      await other.delete([key]);
      await expectCode(store.commit(key), 'storeMissing');
      expect(await objects()).toEqual(['region.json']);
      await other.close();
    },
  );

  test('finishes a commit that died after the blob was there', async () => {
    const key = newKey();
    await store.append(key, 0, inChunks(Buffer.from('abc'), 3));
    await requests.put(`blobs/${key}`, Buffer.from('abc'));
    await expectCode(store.append(key, 3, inChunks(Buffer.from('d'), 1)), 'conflict');
    await store.commit(key);
    expect(await objects()).toEqual([`blobs/${key}`, 'region.json']);
  });

  test('an upload whose parts somebody else removed begins again', async () => {
    const key = newKey();
    await store.append(key, 0, inChunks(randomBytes(part + 9), 1_000_000));
    const [upload] = await multiparts();
    await requests.multipartAbort(`blobs/${key}`, upload?.id ?? '');
    expect(await store.length(key)).toBe(0);
    await store.append(key, 0, inChunks(Buffer.from('abc'), 3));
    await store.commit(key);
    expect(String(await collect((await store.read(key)).stream, 3))).toBe('abc');
  });

  test('signs an address for at most 60 seconds, where it is configured, that gives the bytes', async () => {
    expect(store.redirect).toBeUndefined();
    const redirecting = await openS3Store({ config: { ...config, redirect: true }, region: 'home' });
    const key = newKey();
    await redirecting.append(key, 0, inChunks(Buffer.from('abcdef'), 6));
    await redirecting.commit(key);
    const address = (await redirecting.redirect?.(key, 3600)) ?? '';
    expect(new URL(address).searchParams.get('X-Amz-Expires')).toBe('60');
    expect(await (await fetch(address, { headers: { range: 'bytes=1-2' } })).text()).toBe('bc');
    expect((await fetch(address.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).status).toBe(403);
    await redirecting.close();
  });
}

function wholeStoreTests({ place }: S3Server): void {
  const opening = (change: Partial<S3Config>) =>
    openS3Store({ config: { ...place(), ...change }, region: 'home' });

  test('is unavailable, with the cause, when it opens with a wrong secret, no bucket or no server', async () => {
    const { accessKeyId } = place().credentials ?? { accessKeyId: '' };
    const cases: [Partial<S3Config>, RegExp][] = [
      [{ credentials: { accessKeyId, secretAccessKey: 'wrong' } }, /SignatureDoesNotMatch/],
      [{ bucket: 'no-such-bucket' }, /NoSuchBucket/],
      [{ endpoint: 'http://127.0.0.1:1' }, /ECONNREFUSED/],
    ];
    for (const [change, cause] of cases) {
      const error = await opening(change).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'unavailable' });
      expect(causeChain(error)).toMatch(cause);
    }
  });

  test('refuses a bucket that keeps versions', async () => {
    const config = { ...place(), bucket: `versions-${randomBytes(4).toString('hex')}` };
    const { client, ...requests } = new S3Requests(config);
    await client.send(new CreateBucketCommand({ Bucket: config.bucket }));
    await client.send(
      new PutBucketVersioningCommand({
        Bucket: config.bucket,
        VersioningConfiguration: { Status: 'Enabled' },
      }),
    );
    await expectCode(openS3Store({ config, region: 'home' }), 'configInvalid');
    client.destroy();
    requests.reader.destroy();
  });

  test('gives a fresh place to one of two regions that open it at once', async () => {
    const config = place();
    const opened = await Promise.allSettled(
      ['home', 'away'].map((region) => openS3Store({ config, region })),
    );
    expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const each of opened) if (each.status === 'fulfilled') await each.value.close();
  });

  test('that lost its owner is unavailable, never empty', async () => {
    const config = place();
    const store = await openS3Store({ config, region: 'home' });
    const requests = new S3Requests(config);
    await requests.deleteAll(['region.json']);
    const key = newKey();
    await expectCode(store.read(key), 'unavailable');
    await expectCode(store.length(key), 'unavailable');
    await expectCode(store.append(key, 0, inChunks(Buffer.from('x'), 1)), 'unavailable');
    await expectCode(store.commit(key), 'unavailable');
    await expectCode(all(store.list()), 'unavailable');
    await expectCode(store.notes.get('a'), 'unavailable');
    await expectCode(store.notes.names(''), 'unavailable');
    requests.close();
    await store.close();
  });
}

function faultTests({ account, place }: S3Server): void {
  let proxy: FaultyProxy;
  let store: BlobStore;

  beforeEach(async () => {
    proxy = await startFaultyProxy(account.endpoint);
    store = await openS3Store({ config: { ...place(), endpoint: proxy.url }, region: 'home' });
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  test('tries again what was refused, reset, or answered into a lost connection', async () => {
    proxy.fail('refuse', /^PUT .*partNumber=1/);
    proxy.fail('reset', /^PUT .*partNumber=2/);
    proxy.fail('lost', /^POST .*uploadId=/);
    proxy.fail('lost', /^POST .*\?delete/);
    const content = randomBytes(2 * part + 9);
    const key = newKey();
    await store.append(key, 0, inChunks(content, 1_000_000));
    await store.commit(key);
    expect((await collect((await store.read(key)).stream, 3 * part)).equals(content)).toBe(true);
    expect(proxy.seen.filter((line) => /partNumber=[12]/.test(line))).toHaveLength(4);
  });

  test('keeps what was told when it goes away in the middle, and goes on from there', async () => {
    const content = randomBytes(3 * part);
    const key = newKey();
    const first = part + 100;
    expect(await store.append(key, 0, inChunks(content.subarray(0, first), 50_000))).toBe(first);
    proxy.fail('reset', /^PUT .*partNumber=3/, Number.POSITIVE_INFINITY);
    await expectCode(store.append(key, first, inChunks(content.subarray(first), 50_000)), 'unavailable');
    proxy.heal();
    const kept = await store.length(key);
    expect(kept).toBe(2 * part);
    await store.append(key, kept, inChunks(content.subarray(kept), 50_000));
    await store.commit(key);
    expect((await collect((await store.read(key)).stream, 3 * part)).equals(content)).toBe(true);
  });

  test('a blob whose bytes stop in the middle fails instead of ending early', async () => {
    const key = newKey();
    await store.append(key, 0, inChunks(randomBytes(2_000_000), 100_000));
    await store.commit(key);
    proxy.fail('cut', /^GET .*blobs/);
    await expectCode(collect((await store.read(key)).stream, part), 'unavailable');
  });

  test('is full with storeFull, and takes the upload on when there is room again', async () => {
    const key = newKey();
    await store.append(key, 0, inChunks(Buffer.from('abc'), 3));
    proxy.fail('full', /^PUT/, Number.POSITIVE_INFINITY);
    await expectCode(store.append(key, 3, inChunks(Buffer.from('def'), 3)), 'storeFull');
    await expectCode(store.notes.put('a', 'x'), 'storeFull');
    proxy.heal();
    expect(await store.append(key, 3, inChunks(Buffer.from('def'), 3))).toBe(6);
  });

  test('keeps a failing store failing, and a healed one going, under the faults that other stores meet', async () => {
    const faulty = new FaultyStore(store);
    const key = newKey();
    faulty.fail('append', { afterBytes: 4 });
    await expectCode(faulty.append(key, 0, inChunks(Buffer.from('abcdef'), 2)), 'unavailable');
    expect(await faulty.append(key, await faulty.length(key), inChunks(Buffer.from('ef'), 2))).toBe(6);
    for (const operation of ['commit', 'read', 'delete', 'list'] as const) faulty.fail(operation);
    await expectCode(faulty.commit(key), 'unavailable');
    await faulty.commit(key);
    await expectCode(faulty.read(key), 'unavailable');
    expect(String(await collect((await faulty.read(key)).stream, 6))).toBe('abcdef');
    await expectCode(all(faulty.list()), 'unavailable');
    await expectCode(faulty.delete([key]), 'unavailable');
    await faulty.delete([key]);
    expect(await all(faulty.list())).toEqual([]);
  });
}
