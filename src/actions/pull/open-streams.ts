import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import { blobFind } from '../../records/catalog/blobs.ts';
import type { Database } from '../../records/db/database.ts';
import { logHead, logRead } from '../../records/log/log.ts';
import { type DoorScope, type Refusal, refusalOfBlob } from '../../records/marks/door.ts';
import type { BlobName } from './blob-open.ts';

/**
 * The blobs that are being sent by this process, so that those which a quarantine comes to reach are cut. A stream is
 * tracked before its door is asked. So either the door has seen the mark, or the mark's event comes after the head that
 * the follower had read when it looked at the streams, and the next run asks the door again:
 *
 *   stream:    track ── ask the door ── send …                 untrack
 *   follower:           read the head ── list the streams ── ask the doors of all, if a quarantine changed since
 *
 * While no stream is open the follower forgets where it was, and asks for all of them at its next run.
 */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>();

  /** @returns what ends the tracking. @throws tooManyRequests */
  track(stream: OpenStream): () => void {
    if (this.#streams.size >= limits.openStreamsMax)
      throw new LazaretError('tooManyRequests', 'too many blobs are being sent', {
        detail: { openStreamsMax: limits.openStreamsMax },
      });
    this.#streams.add(stream);
    return () => void this.#streams.delete(stream);
  }

  list(): readonly OpenStream[] {
    return [...this.#streams];
  }
}

export interface OpenStream {
  readonly scope: DoorScope;
  /** sha256. */
  readonly digest: string;
  readonly mayPush: boolean;
  /** Ends the answer. */
  readonly cut: (refusal: Refusal) => void;
  /** What its connection has taken. */
  readonly takenBytes: () => number;
  /** Ends the connection. */
  readonly drop: () => void;
}

export interface OpenStreamDeps {
  readonly database: Database;
  readonly openStreams: OpenStreams;
}

/** To be called before the door is asked. @returns what ends the tracking. @throws tooManyRequests */
export async function blobTracked(
  { database, openStreams }: OpenStreamDeps,
  { repository, digest, mayPush = false }: BlobName,
  connection: Pick<OpenStream, 'cut' | 'takenBytes' | 'drop'>,
): Promise<() => void> {
  const scope = { repository: repository.name, account: repository.account };
  return openStreams.track({ scope, digest: await sha256Of(database, digest), mayPush, ...connection });
}

async function sha256Of({ read }: Database, digest: Digest): Promise<string> {
  if (digestAlgorithm(digest) === 'sha256') return digest;
  return (await blobFind(read, digest))?.digest ?? digest;
}

const doorsAtOnce = 16;

/** Follows the quarantines of the log, those of other regions too. */
export function cutTask({ database, openStreams }: OpenStreamDeps): Task {
  let cursor: number | undefined;
  return {
    name: 'cut-quarantined',
    periodMs: 1_000,
    run: async () => {
      if (openStreams.list().length === 0) {
        cursor = undefined;
        return 'idle';
      }
      const head = await logHead(database.read);
      const open = openStreams.list();
      const changed = cursor === undefined || (await quarantinesChanged(database, cursor));
      if (changed) await cutRefused(database, open);
      cursor = head;
      return 'idle';
    },
  };
}

async function quarantinesChanged({ read }: Database, after: number): Promise<boolean> {
  return (await logRead(read, { after, limit: 1, lane: 'quarantine' })).length > 0;
}

async function cutRefused(database: Database, open: readonly OpenStream[]): Promise<void> {
  const byBlob = Map.groupBy(
    open,
    ({ scope, digest, mayPush }) => `${mayPush} ${scope.repository}@${digest}`,
  );
  const groups = [...byBlob.values()];
  for (let at = 0; at < groups.length; at += doorsAtOnce)
    await Promise.all(groups.slice(at, at + doorsAtOnce).map((group) => cutGroup(database, group)));
}

/** Streams of one blob in one repository. */
async function cutGroup({ read }: Database, group: readonly OpenStream[]): Promise<void> {
  const [first] = group;
  if (!first) return;
  const refusal = await refusalOfBlob(read, first.scope, first.digest, first.mayPush);
  if (refusal) for (const stream of group) stream.cut(refusal);
}

/** Whoever begins a pull and takes nothing of it holds a file, or a connection to the store, for nobody. */
export function stalledTask({ openStreams, clock }: { openStreams: OpenStreams; clock: Clock }): Task {
  const looks = new WeakMap<OpenStream, { readonly takenBytes: number; readonly atMs: number }>();
  return {
    name: 'drop-stalled',
    periodMs: limits.pullStallMs,
    calmMs: limits.pullStallMs,
    run: async () => {
      const atMs = clock.bootMs();
      for (const stream of openStreams.list()) {
        const takenBytes = stream.takenBytes();
        const before = looks.get(stream);
        if (before?.takenBytes !== takenBytes) looks.set(stream, { takenBytes, atMs });
        else if (atMs - before.atMs >= limits.pullStallMs) stream.drop();
      }
      return 'idle';
    },
  };
}
