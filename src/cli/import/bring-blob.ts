import { blobStat } from '../../client/distribution-pull.ts';
import {
  blobPush,
  type UploadAt,
  uploadBegin,
  uploadEnd,
  uploadSend,
  uploadStatus,
} from '../../client/distribution-push.ts';
import type { RegistrySession } from '../../client/registry-session.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type ByteSource, collect } from '../../lib/streams.ts';
import type { Digest } from '../../oci/digest.ts';
import type { UploadJournal } from './upload-journal.ts';

/**
 * One blob to the destination. A small one goes in one request. A large one goes into an upload session, which is written
 * down before the first byte: when either side, or this process, is cut, the session tells how far it has come, and the
 * source is read from there. A session that has ended meanwhile had been closed (the blob is there), or is begun anew.
 * The server compares the digest when the upload is closed; bytes that were not what they should be leave nothing behind.
 */
export interface BlobToBring {
  readonly repository: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Another repository of the destination that has it. */
  readonly from: string | undefined;
  readonly open: (offset: number) => Promise<ByteSource>;
  /** How much of it has been sent, which may be less than before. */
  readonly onPosition: (bytes: number) => void;
}

export interface BringDeps {
  readonly session: RegistrySession;
  readonly journal: UploadJournal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @throws blobUnknown when the source lacks it; digestInvalid; quarantined, denied …; unavailable after several tries */
export async function bringBlob(deps: BringDeps, blob: BlobToBring): Promise<'copied' | 'mounted'> {
  const { session, signal } = deps;
  const { repository, digest, from } = blob;
  if (from !== undefined && (await uploadBegin(session, { repository, digest, from, signal })) === undefined)
    return 'mounted';
  if (blob.sizeBytes <= limits.importWholeBytesMax) await patiently(deps, () => bringWhole(deps, blob));
  else await bringInParts(deps, blob);
  blob.onPosition(blob.sizeBytes);
  return 'copied';
}

async function bringWhole({ session, signal }: BringDeps, blob: BlobToBring): Promise<void> {
  const { repository, digest, sizeBytes, open } = blob;
  const bytes = await collect(await open(0), sizeBytes);
  await blobPush(session, { repository, digest, bytes, signal });
}

async function bringInParts(deps: BringDeps, blob: BlobToBring): Promise<void> {
  const { session, journal } = deps;
  const key = { url: session.url, repository: blob.repository, digest: blob.digest };
  const known = await goneOn(deps, blob, await journal.find(key));
  try {
    await bringFrom(deps, blob, known ?? (await begun(deps, blob)));
  } catch (error) {
    // What an earlier import had sent may have been wrong.
    if (!known || known.offset === 0 || !hasCode(error, 'digestInvalid')) throw error;
    await bringFrom(deps, blob, await begun(deps, blob));
  }
  await journal.forget(key);
}

async function begun(
  { session, journal, signal }: BringDeps,
  { repository, digest }: BlobToBring,
): Promise<UploadAt> {
  const at = await uploadBegin(session, { repository, digest, signal });
  if (at === undefined) throw new LazaretError('unavailable', `${session.url} does not take an upload`);
  await journal.keep({ url: session.url, repository, digest }, at.location);
  return at;
}

/** Where a session stands, if it does. */
async function goneOn(
  { session, signal }: BringDeps,
  { repository, sizeBytes }: BlobToBring,
  location: string | undefined,
): Promise<UploadAt | undefined> {
  if (location === undefined) return undefined;
  const at = await uploadStatus(session, { repository, location, signal });
  return at === undefined || at.offset > sizeBytes ? undefined : at;
}

/** Until all is sent and the session closed; failures that bring no progress are counted. */
async function bringFrom(deps: BringDeps, blob: BlobToBring, start: UploadAt): Promise<void> {
  for (let at = start, failures = 0; ; ) {
    try {
      return await sent(deps, blob, at);
    } catch (error) {
      failures += 1;
      if (!isTransient(error) || failures >= limits.registryAttemptsMax) throw error;
      await rested(deps, failures);
      const stands = await goneOn(deps, blob, at.location);
      if (stands === undefined && (await isThere(deps, blob))) return; // it was closed, and the answer was lost
      if (stands !== undefined && stands.offset > at.offset) failures = 0;
      at = stands ?? (await begun(deps, blob));
    }
  }
}

async function sent({ session, signal }: BringDeps, blob: BlobToBring, start: UploadAt): Promise<void> {
  const { repository, digest, sizeBytes } = blob;
  let at = start;
  blob.onPosition(at.offset);
  if (at.offset < sizeBytes) {
    const source = followed(await blob.open(at.offset), at.offset, blob.onPosition);
    at = await uploadSend(session, { repository, at, sizeBytes, source, signal });
  }
  await uploadEnd(session, { repository, digest, location: at.location, signal });
}

async function isThere(
  { session, signal }: BringDeps,
  { repository, digest }: BlobToBring,
): Promise<boolean> {
  return (await blobStat(session, { repository, digest, signal })) !== undefined;
}

async function patiently(deps: BringDeps, work: () => Promise<void>): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || failures >= limits.registryAttemptsMax) throw error;
      await rested(deps, failures);
    }
  }
}

async function rested({ clock, signal }: BringDeps, failures: number): Promise<void> {
  await clock.sleep(limits.registryRetryFirstMs * 2 ** (failures - 1), signal);
  signal.throwIfAborted();
}

const transient = new Set(['unavailable', 'tooManyRequests', 'storeFull', 'uploadUnknown', 'uploadRange']);

function isTransient(error: unknown): boolean {
  return error instanceof LazaretError && transient.has(error.code);
}

async function* followed(
  source: ByteSource,
  offset: number,
  onPosition: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let position = offset;
  for await (const chunk of source) {
    yield chunk;
    position += chunk.byteLength;
    onPosition(position);
  }
}
