import { type Client, call, callBytes, callLines } from '../../client/client.ts';
import {
  type AccessSnapshot,
  type ReplicationLine,
  replicationAccess,
  replicationBlob,
  replicationStream,
} from '../../contract/replication.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Cursors } from '../../records/regions/regions.ts';

/** One blob in one repository, from an offset on. */
interface BlobAsk {
  readonly digest: string;
  readonly repository: string;
  readonly from: number;
}

/** The way to one peer. Every method throws unavailable when it can't be reached. */
export interface PeerLink {
  /** The peer's name. */
  readonly region: string;
  stream(cursors: Cursors, signal: AbortSignal): AsyncIterable<ReplicationLine>;
  access(signal: AbortSignal): Promise<AccessSnapshot>;
  /** @throws quarantined, blobUnknown, nameUnknown */
  blob(ask: BlobAsk, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export function clientLink(region: string, client: Client): PeerLink {
  return {
    region,
    stream: (cursors, signal) => callLines(client, replicationStream, { query: cursors }, { signal }),
    access: (signal) => call(client, replicationAccess, {}, { signal }),
    blob: async ({ digest, repository, from }, signal) => {
      const query = { repository, from };
      const answer = await callBytes(client, replicationBlob, { params: { digest }, query }, { signal });
      return unbroken(answer.stream, region);
    },
  };
}

async function* unbroken(stream: AsyncIterable<Uint8Array>, region: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (cause) {
    throw new LazaretError('unavailable', `region ${region} broke off`, { cause });
  }
}
