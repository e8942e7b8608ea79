import type { BlobStore } from '../../blobs/blob-store.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { blobFind, blobInRepository } from '../../records/catalog/blobs.ts';
import type { Database } from '../../records/db/database.ts';
import { refusalOfBlob } from '../../records/marks/door.ts';

export interface ForensicDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
}

export interface ForensicAsk {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** The operator may also read what no repository holds any more. */
  readonly isOperator: boolean;
  readonly actor: string;
}

/**
 * The bytes of a quarantined blob, for whoever looks into what happened: the one way to them. That they were read is in
 * the log before the first byte leaves.
 * @throws blobUnknown; conflict if no quarantine reaches it: then it can be pulled
 */
export async function forensicRead(
  { database, blobs }: ForensicDeps,
  ask: ForensicAsk,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; stream: AsyncIterable<Uint8Array> }> {
  const { repository, digest, actor } = ask;
  const { name, account } = repository;
  const held = await blobInRepository(database.read, { repository: name, digest });
  const blob = held ?? (ask.isOperator ? await blobFind(database.read, digest) : undefined);
  if (!blob || blob.state === 'condemned') throw unknown(`${name} has no blob ${digest}`, digest);
  const refusal = await refusalOfBlob(database.read, { repository: name, account }, blob.digest);
  if (!refusal) throw new LazaretError('conflict', `${digest} is not quarantined in ${name}: pull it`);
  if (blob.storage_key === null) throw unknown(`the bytes of ${digest} are not in this region`, digest);
  const { quarantine, quarantineUid } = refusal;
  await database.transact(async (tx) =>
    tx.emit({
      type: 'forensics.read',
      lane: 'local',
      account,
      subject: quarantine,
      actor,
      data: { repository: name, digest: blob.digest, quarantine: quarantineUid, sizeBytes: blob.size_bytes },
    }),
  );
  const { stream } = await blobs.read(blob.storage_key, undefined, signal);
  return { sizeBytes: blob.size_bytes, stream };
}

function unknown(message: string, digest: Digest): LazaretError {
  return new LazaretError('blobUnknown', message, { detail: { digest } });
}
