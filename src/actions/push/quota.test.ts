import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { accountQuotaSet, accountRows } from '../../records/access/accounts.ts';
import { usageFold } from '../../records/access/usage.ts';
import { blobMount } from './blob-mount.ts';
import { blobDelete } from './delete.ts';
import { uploadAppend, uploadStart, uploadStatus } from './upload.ts';
import { uploadFinish } from './upload-finish.ts';

interface Bytes {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

function content(sizeBytes: number): Bytes {
  const bytes = randomBytes(sizeBytes);
  return { bytes, digest: digestOf(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const refusal = { code: 'quotaExceeded', detail: { account: 'acme' } };

describeEngines('the quota of an account', (world) => {
  async function open(quotaBytes: number) {
    const house = await openHouse(world);
    await house.database.transact((tx) => accountQuotaSet(tx, 'acme', quotaBytes, 'op'));
    return house;
  }
  const used = async ({ database }: House, account = 'acme') =>
    (await accountRows(database.read)).find(({ name }) => name === account)?.usedBytes;
  const mount = ({ deps }: House, digest: Digest, from: string, to: string) =>
    blobMount(deps, {
      repository: parseRepositoryName(to),
      from: parseRepositoryName(from),
      digest,
      allowed: true,
    });

  it('counts distinct blobs, however often and in however many of its repositories they are', async () => {
    const house = await open(1_000);
    const [a, b] = [content(300), content(200)];
    await house.pushBlob('acme/shop', a);
    await house.pushBlob('acme/shop', a);
    await house.pushBlob('acme/tools', a);
    await mount(house, a.digest, 'acme/shop', 'acme/more');
    await house.pushBlob('globex/app', a);
    await house.pushBlob('globex/app', b);
    expect(await used(house)).toBe(300);
    expect(await used(house, 'globex')).toBe(500);
    await house.database.transact(usageFold);
    await house.pushBlob('acme/shop', b);
    expect(await used(house)).toBe(500);
  });

  it('refuses the push and the mount that would exceed it, and nothing of them stays', async () => {
    const house = await open(500);
    const [a, b] = [content(400), content(101)];
    await house.pushBlob('acme/shop', a);
    await expect(house.pushBlob('acme/shop', b)).rejects.toMatchObject(refusal);
    await house.pushBlob('globex/app', b);
    await expect(mount(house, b.digest, 'globex/app', 'acme/shop')).rejects.toMatchObject(refusal);
    await expect(house.pullBlob('acme/shop', b.digest)).rejects.toMatchObject({ code: 'blobUnknown' });
    expect(await used(house)).toBe(400);
    await house.pushBlob('acme/tools', a);
    await house.pushBlob('acme/shop', content(100));
    expect(await used(house)).toBe(500);
  });

  it('refuses by Content-Length before a byte is read, and while bytes come without one; the session ends', async () => {
    const house = await open(500);
    const repository = parseRepositoryName('acme/shop');
    const begin = async () => ({
      repository,
      principal: 'jo',
      ...(await uploadStart(house.deps, { repository, principal: 'jo' })),
    });
    const told = await begin();
    let read = false;
    async function* unread() {
      read = true;
      yield Buffer.alloc(1);
    }
    const early = uploadAppend(house.deps, { ...told, source: unread(), lengthBytes: 501 });
    await expect(early).rejects.toMatchObject(refusal);
    expect(read).toBe(false);
    const untold = await begin();
    await uploadAppend(house.deps, { ...untold, source: once(Buffer.alloc(300)) });
    const late = uploadAppend(house.deps, { ...untold, source: once(Buffer.alloc(201)) });
    await expect(late).rejects.toMatchObject(refusal);
    for (const upload of [told, untold])
      await expect(uploadStatus(house.deps, upload)).rejects.toMatchObject({ code: 'uploadUnknown' });
  });

  it('lets one of two uploads that are closed at once, and together exceed it, through', async () => {
    const house = await open(500);
    const repository = parseRepositoryName('acme/shop');
    const uploads = await Promise.all(
      [content(300), content(300)].map(async ({ bytes, digest }) => {
        const name = {
          repository,
          principal: 'jo',
          ...(await uploadStart(house.deps, { repository, principal: 'jo' })),
        };
        await uploadAppend(house.deps, { ...name, source: once(bytes) });
        return { ...name, digest };
      }),
    );
    const closed = await Promise.allSettled(uploads.map((upload) => uploadFinish(house.deps, upload)));
    expect(closed.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await used(house)).toBe(300);
  });

  it('counts a blob once that is pushed to many of its repositories at once', async () => {
    const house = await open(1_000);
    const a = content(300);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => house.pushBlob(`acme/${name}`, a)));
    expect(await used(house)).toBe(300);
  });

  it('is free again when the last of its repositories lets go, by DELETE or by the collector', async () => {
    const house = await open(500);
    const [a, b] = [content(300), content(200)];
    for (const name of ['acme/shop', 'acme/tools']) await house.pushBlob(name, a);
    await house.pushBlob('acme/shop', b);
    const away = (name: string) =>
      blobDelete(house.deps, { repository: parseRepositoryName(name), digest: a.digest, principal: 'jo' });
    await away('acme/shop');
    expect(await used(house)).toBe(500);
    await away('acme/tools');
    expect(await used(house)).toBe(200);
    house.clock.advance(3 * 86_400_000);
    await house.collect();
    expect(await used(house)).toBe(0);
    await house.pushBlob('acme/shop', content(500));
  });

  it('below what is there already keeps what is there, and is lifted by none', async () => {
    const house = await open(500);
    const a = content(400);
    await house.pushBlob('acme/shop', a);
    const set = (bytes: number | null) =>
      house.database.transact((tx) => accountQuotaSet(tx, 'acme', bytes, 'op'));
    await set(100);
    await house.pushBlob('acme/tools', a);
    await expect(house.pushBlob('acme/shop', content(1))).rejects.toMatchObject(refusal);
    await set(null);
    await house.pushBlob('acme/shop', content(1_000));
    await expect(
      house.database.transact((tx) => accountQuotaSet(tx, 'nobody', 1, 'op')),
    ).rejects.toMatchObject({ code: 'notFound' });
  });
});
