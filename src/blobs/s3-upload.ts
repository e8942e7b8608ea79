/**
 * What is written of a key that is not committed, in S3, where nothing can be appended to:
 *
 *     parts of a multipart upload of blobs/<key>    each `storePartBytes` long, from the first byte on, without a gap
 *     uploads/<key>                                 the rest after them; its metadata says where it starts, and the
 *                                                   multipart upload's id if there is one
 *
 * Parts below 5 MiB are refused unless they are the last, and what is in a part can't be read before the whole is
 * complete; so the rest, which a next append goes on from, is an object that can be read. The state of an upload is what
 * these two say and nothing in memory: any process can go on with it.
 *
 * - The rest counts only if it starts where the parts end. When a part has taken it up, it is out of date at once; nobody
 *   has to remove it before the next rest replaces it. So the length never falls below what was told.
 * - Parts are written one after the other, each once the one before is there: a crash leaves no gap.
 * - The id is written into `uploads/<key>` before the first part. A crash before leaves a multipart upload without bytes,
 *   which the commit of the key, or its delete, ends.
 * - A multipart upload that somebody else ended (a rule of the bucket, a delete) has taken its parts along: the upload is
 *   as if nothing had been written.
 */
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { BlobKey } from './blob-store.ts';
import type { Part, S3Requests } from './s3-client.ts';

export interface S3Upload {
  /** Of the multipart upload. */
  readonly id: string | undefined;
  readonly parts: readonly Part[];
  readonly partsBytes: number;
  readonly restBytes: number;
}

export const blobName = (key: BlobKey) => `blobs/${key}`;
export const uploadName = (key: BlobKey) => `uploads/${key}`;

/** undefined if nothing was written under the key. */
export async function uploadMeasured(requests: S3Requests, key: BlobKey): Promise<S3Upload | undefined> {
  const rest = await requests.head(uploadName(key));
  return rest && uploadOf(requests, key, rest.Metadata ?? {}, rest.ContentLength ?? 0);
}

/** With the rest's bytes. */
export async function uploadRead(
  requests: S3Requests,
  key: BlobKey,
): Promise<(S3Upload & { rest: Uint8Array }) | undefined> {
  const found = await requests.get(uploadName(key));
  if (found === undefined) return undefined;
  const upload = await uploadOf(requests, key, found.metadata, found.body.byteLength);
  return { ...upload, rest: upload.restBytes > 0 ? found.body : new Uint8Array() };
}

async function uploadOf(
  requests: S3Requests,
  key: BlobKey,
  metadata: Readonly<Record<string, string>>,
  bodyBytes: number,
): Promise<S3Upload> {
  const { multipart, start = '0' } = metadata;
  const found = multipart === undefined ? undefined : await requests.parts(blobName(key), multipart);
  const parts = withoutGap(found ?? []);
  const partsBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const restBytes = Number(start) === partsBytes ? bodyBytes : 0;
  return { id: found && multipart, parts, partsBytes, restBytes };
}

function withoutGap(parts: readonly Part[]): readonly Part[] {
  const gap = parts.findIndex(
    (part, at) => part.number !== at + 1 || part.sizeBytes !== limits.storePartBytes,
  );
  return gap === -1 ? parts : parts.slice(0, gap);
}

/** Takes chunks, writes a part whenever one is full, and the rest at the end. */
export class UploadWriter {
  readonly #requests: S3Requests;
  readonly #key: BlobKey;
  /** The rest that is durable. */
  #kept: { readonly start: number; readonly body: Uint8Array };
  #id: string | undefined;
  #parts: number;
  #partsBytes: number;
  /** Of a part's length; pages of it that nothing was written to cost nothing. */
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Something in S3 is not as it was before. */
  #changed: boolean;

  constructor(
    requests: S3Requests,
    key: BlobKey,
    before: (S3Upload & { readonly rest: Uint8Array }) | undefined,
  ) {
    this.#requests = requests;
    this.#key = key;
    this.#id = before?.id;
    this.#parts = before?.parts.length ?? 0;
    this.#partsBytes = before?.partsBytes ?? 0;
    const rest = before?.rest ?? new Uint8Array();
    this.#kept = { start: this.#partsBytes, body: rest };
    this.#changed = before === undefined;
    this.#gather(rest);
  }

  /** At most two parts are in memory: one that is being written, one that is being gathered. */
  async take(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength === 0) return;
    this.#changed = true;
    for (let left = chunk; left.byteLength > 0; ) {
      left = left.subarray(this.#gather(left));
      if (this.#gatheredBytes === limits.storePartBytes) await this.#writePart();
    }
  }

  /** Makes everything that was taken durable. @returns the length */
  async flush(): Promise<number> {
    await this.#writing;
    const body = this.#gathered?.subarray(0, this.#gatheredBytes) ?? Buffer.alloc(0);
    if (this.#changed) await this.#putRest(this.#partsBytes, body);
    this.#changed = false;
    return this.#partsBytes + body.byteLength;
  }

  /** Copied, so that the small pieces of the network's memory that chunks lie in are free again. @returns how much fitted */
  #gather(chunk: Uint8Array): number {
    if (chunk.byteLength === 0) return 0;
    this.#gathered ??= Buffer.allocUnsafeSlow(limits.storePartBytes);
    const taken = chunk.subarray(0, limits.storePartBytes - this.#gatheredBytes);
    this.#gathered.set(taken, this.#gatheredBytes);
    this.#gatheredBytes += taken.byteLength;
    return taken.byteLength;
  }

  async #writePart(): Promise<void> {
    await this.#writing;
    const body = this.#gathered;
    if (body === undefined) return;
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    this.#writing = this.#putPart(body);
    // Awaited by the next part or at the end; until then its failure has no listener.
    this.#writing.catch(() => {});
  }

  async #putPart(body: Uint8Array): Promise<void> {
    const name = blobName(this.#key);
    if (this.#id === undefined) {
      this.#id = await this.#requests.multipartBegin(name);
      await this.#putRest(this.#kept.start, this.#kept.body);
    }
    const number = this.#parts + 1;
    const part = await this.#requests.partPut({ name, id: this.#id, number, body });
    if (part === undefined) throw new LazaretError('storeMissing', 'the upload was ended meanwhile');
    this.#parts = number;
    this.#partsBytes += body.byteLength;
  }

  async #putRest(start: number, body: Uint8Array): Promise<void> {
    const id = this.#id === undefined ? {} : { multipart: this.#id };
    const metadata = { start: String(start), ...id };
    await this.#requests.put(uploadName(this.#key), body, { metadata });
    this.#kept = { start, body };
  }
}
