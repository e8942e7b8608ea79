import { type Client, call, callBytes, callLines } from '../../client/client.ts';
import {
  type AccessSnapshot,
  type ReplicationLine,
  replicationAccess,
  replicationBlob,
  replicationHead,
  replicationStream,
} from '../../contract/replication.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
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
  /** How far its own events go at a moment between the call and its answer. */
  head(signal: AbortSignal): Promise<Cursors>;
  access(signal: AbortSignal): Promise<AccessSnapshot>;
  /** @throws quarantined, blobUnknown, nameUnknown */
  blob(ask: BlobAsk, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export function clientLink(region: string, client: Client): PeerLink {
  return {
    region,
    stream: (cursors, signal) => callLines(client, replicationStream, { query: cursors }, { signal }),
    head: (signal) => call({ ...client, timeoutMs: limits.connectedMs }, replicationHead, {}, { signal }),
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
