/** One blob into a real server, whatever is left of an earlier attempt. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http } from '../../../test/support/http.ts';
import { startTestServer, type TestServer } from '../../../test/support/server.ts';
import { RegistrySession } from '../../client/registry-session.ts';
import { systemClock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { digestOf } from '../../oci/digest.ts';
import { type BlobToBring, bringBlob } from './bring-blob.ts';
import type { UploadJournal, UploadKey } from './upload-journal.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

class MemoryJournal implements UploadJournal {
  readonly kept = new Map<string, string>();

  async find({ digest }: UploadKey) {
    return this.kept.get(digest);
  }

  async keep({ digest }: UploadKey, location: string) {
    this.kept.set(digest, location);
  }

  async forget({ digest }: UploadKey) {
    this.kept.delete(digest);
  }
}

function blobOf(bytes: Buffer, repository: string) {
  const opened: number[] = [];
  const positions: number[] = [];
  const blob: BlobToBring = {
    repository,
    digest: digestOf(bytes),
    sizeBytes: bytes.length,
    from: undefined,
    open: async (offset) => {
      opened.push(offset);
      return Readable.from([bytes.subarray(offset)]);
    },
    onPosition: (position) => void positions.push(position),
  };
  return { blob, opened, positions };
}

function bring(blob: BlobToBring, journal: UploadJournal = new MemoryJournal()) {
  const session = new RegistrySession({ ...server.admin, clock: systemClock });
  return bringBlob({ session, journal, clock: systemClock, signal: new AbortController().signal }, blob);
}

async function isThere({ repository, digest }: BlobToBring): Promise<boolean> {
  return (await http(server.admin, `HEAD /v2/${repository}/blobs/${digest}`)).status === 200;
}

/** An upload of somebody who went away. @returns its address */
async function leftBehind(repository: string, bytes: Buffer): Promise<string> {
  const begun = await http(server.admin, `POST /v2/${repository}/blobs/uploads/`);
  const location = begun.headers.get('location') ?? '';
  await http(server.admin, `PATCH ${location}`, { body: bytes });
  return location;
}

const big = () => randomBytes(3 << 20);

describe('a blob', () => {
  it.each([0, 1, 1 << 20, (1 << 20) + 1])('of %i bytes comes whole', async (size) => {
    const { blob, positions } = blobOf(randomBytes(size), 'acme/sizes');
    expect(await bring(blob)).toBe('copied');
    expect(await isThere(blob)).toBe(true);
    expect(positions.at(-1)).toBe(size);
  });

  it('is mounted where the server has it, and copied where that can’t be', async () => {
    const { blob, opened } = blobOf(big(), 'acme/first');
    await bring(blob);
    expect(await bring({ ...blob, repository: 'acme/second', from: 'acme/first' })).toBe('mounted');
    expect(await bring({ ...blob, repository: 'acme/third', from: 'acme/none' })).toBe('copied');
    expect(opened).toHaveLength(2);
  });

  it('goes on in the upload that was left', async () => {
    const bytes = big();
    const { blob, opened } = blobOf(bytes, 'acme/left');
    const journal = new MemoryJournal();
    journal.kept.set(blob.digest, await leftBehind('acme/left', bytes.subarray(0, 2_000_000)));
    await bring(blob, journal);
    expect(opened).toEqual([2_000_000]);
    expect(journal.kept.size).toBe(0);
  });

  it.each([
    ['has ended', async () => '/v2/acme/ended/blobs/uploads/00000000-0000-7000-8000-000000000000'],
    ['holds something else', () => leftBehind('acme/ended', big().subarray(0, 2_000_000))],
    ['holds too much', () => leftBehind('acme/ended', randomBytes(4 << 20))],
  ])('begins anew when the upload that was left %s', async (_, left) => {
    const { blob } = blobOf(big(), 'acme/ended');
    const journal = new MemoryJournal();
    journal.kept.set(blob.digest, await left());
    await bring(blob, journal);
    expect(await isThere(blob)).toBe(true);
  });

  it('that is not what its digest says leaves nothing behind', async () => {
    const { blob } = blobOf(big(), 'acme/wrong');
    const wrong = { ...blob, digest: digestOf('something else') };
    await expect(bring(wrong)).rejects.toMatchObject({ code: 'digestInvalid' });
    expect(await isThere(wrong)).toBe(false);
  });

  it('that the source lost meanwhile is not tried again', async () => {
    const { blob } = blobOf(big(), 'acme/lost');
    const open = () => Promise.reject(new LazaretError('blobUnknown', 'lost'));
    await expect(bring({ ...blob, open })).rejects.toMatchObject({ code: 'blobUnknown' });
  });
});
