import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Digest } from '../../oci/digest.ts';
import { accountHolds, quotaExceeded, usageOfRepository } from '../../records/access/usage.ts';
import type { Database } from '../../records/db/database.ts';
import type { OpenUpload } from '../../records/uploads/uploads.ts';

/** How long an upload may become, and what to say of a longer one. */
export interface UploadRoom {
  readonly bytesMax: number;
  readonly exceeded: () => LazaretError;
}

/**
 * What the account's quota leaves, so that bytes that could not stay are not taken in at all. What decides is the sum in
 * the transaction that links the blob; uploads that go on at the same time are not counted here.
 * @param digest if it is known: bytes that the account has already cost it nothing
 */
export async function uploadRoom(
  { database: { read } }: { readonly database: Database },
  { repository_id: repositoryId, quota_bytes: quotaBytes }: OpenUpload,
  digest: Digest | undefined,
): Promise<UploadRoom> {
  const any = { bytesMax: limits.blobBytesMax, exceeded: tooLarge };
  if (quotaBytes === null) return any;
  const usage = await usageOfRepository(read, repositoryId);
  if (!usage || usage.quotaBytes === null) return any;
  const leftBytes = Math.max(0, usage.quotaBytes - usage.usedBytes);
  if (leftBytes >= any.bytesMax) return any;
  if (digest !== undefined && (await accountHolds(read, repositoryId, digest))) return any;
  return { bytesMax: leftBytes, exceeded: () => quotaExceeded(usage) };
}

function tooLarge(): LazaretError {
  const bytesMax = limits.blobBytesMax;
  return new LazaretError('tooLarge', `a blob has at most ${bytesMax} bytes`, {
    detail: { limit: 'blobBytesMax', bytesMax },
  });
}
