/**
 * Compares the blob store with the metadata, both ways, while pushes, pulls and the collector go on.
 *
 *   every key of the store ─► is there a row that names it?          no ─► orphan
 *   every row ─► are its bytes there, as long as it says, and (verify) with its digest?   no ─► missing, size, rot
 *
 * Orphans: a row that names a key is always written before its first byte, so bytes without a row stay without one. The
 * look is one statement, repeated in the transaction that lets go of them, and what changed within the last hour is left.
 * Damage: what was read of a row counts only if the row, locked, still names the same key; keys are never used again, so
 * the bytes looked at were that row's. A blob pushed again, collected or copied meanwhile is left alone.
 * A scrub that ends lets the collector work again after a restore. One that is cut off has changed only what it said.
 */
import { createHash } from 'node:crypto';
import type { BlobStore, StoredKey } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { digestEnd } from '../../oci/digest.ts';
import { collectorTurnOn } from '../../records/collection/collector-state.ts';
import {
  damagedMend,
  keysNamed,
  orphanCondemn,
  remoteMend,
  type ScrubRow,
  scrubRows,
} from '../../records/collection/scrub.ts';
import type { Database } from '../../records/db/database.ts';

export interface ScrubDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
}

export interface ScrubAsk {
  readonly repair: boolean;
  /** Reads all bytes again and compares their digests. */
  readonly verify: boolean;
  readonly actor: string;
}

export interface ScrubFinding {
  readonly kind: 'finding';
  /** `unreadable`: the store answers, but not with these bytes. */
  readonly problem: 'orphan' | 'missing' | 'size' | 'rot' | 'unreadable' | 'remote';
  /** null of an orphan. */
  readonly digest: string | null;
  readonly storageKey: string | null;
  readonly sizeBytes: number;
  /** `lost`: no other region has it; it comes back when it is pushed again. */
  readonly outcome: 'reported' | 'condemned' | 'copying' | 'lost';
}

export interface ScrubCounts {
  readonly keys: number;
  readonly rows: number;
  readonly readBytes: number;
  readonly findings: number;
  /** Findings that were condemned or are copied again. */
  readonly repaired: number;
  /** Keys without a row that are too young to be called orphans. */
  readonly young: number;
}

export type ScrubLine =
  | ScrubFinding
  | ({ readonly kind: 'progress' } & ScrubCounts)
  | ({ readonly kind: 'end'; readonly collectorTurnedOn: boolean } & ScrubCounts);

export async function* scrub(deps: ScrubDeps, ask: ScrubAsk, signal: AbortSignal): AsyncGenerator<ScrubLine> {
  const walk = new Walk(deps, ask, signal);
  for await (const finding of walk.findings()) {
    if (finding.kind === 'finding') walk.count(finding);
    yield finding;
  }
  if (signal.aborted) return;
  const counts = walk.counts();
  const collectorTurnedOn = await deps.database.transact(async (tx) => {
    const data = { ...counts, repair: ask.repair, verify: ask.verify };
    tx.emit({ type: 'scrub.ended', lane: 'local', subject: 'blobs', actor: ask.actor, data });
    return collectorTurnOn(tx);
  });
  yield { kind: 'end', collectorTurnedOn, ...counts };
}

class Walk {
  readonly #deps: ScrubDeps;
  readonly #ask: ScrubAsk;
  readonly #signal: AbortSignal;
  readonly #counts = { keys: 0, rows: 0, readBytes: 0, findings: 0, repaired: 0, young: 0 };

  constructor(deps: ScrubDeps, ask: ScrubAsk, signal: AbortSignal) {
    this.#deps = deps;
    this.#ask = ask;
    this.#signal = signal;
  }

  counts(): ScrubCounts {
    return { ...this.#counts };
  }

  count({ outcome }: ScrubFinding): void {
    this.#counts.findings += 1;
    if (outcome === 'condemned' || outcome === 'copying') this.#counts.repaired += 1;
  }

  async *findings(): AsyncGenerator<ScrubFinding | Extract<ScrubLine, { kind: 'progress' }>> {
    for await (const keys of batches(this.#deps.blobs.list(this.#signal))) {
      yield* this.#orphans(keys);
      yield { kind: 'progress', ...this.counts() };
    }
    for (let after = 0; !this.#signal.aborted; ) {
      const rows = await scrubRows(this.#deps.database.read, after, limits.scrubBatch);
      const last = rows.at(-1);
      if (!last) return;
      for (const row of rows) yield* row.state === 'live' ? this.#live(row) : this.#remote(row);
      after = last.id;
      yield { kind: 'progress', ...this.counts() };
    }
  }

  async *#orphans(stored: readonly StoredKey[]): AsyncGenerator<ScrubFinding> {
    const { database, clock } = this.#deps;
    this.#counts.keys += stored.length;
    const named = await keysNamed(
      database.read,
      stored.map(({ key }) => key),
    );
    for (const { key, sizeBytes, changedAt = 0 } of stored) {
      if (named.has(key)) continue;
      if (clock.wallMs() - changedAt < limits.scrubOrphanAgeMs) {
        this.#counts.young += 1;
        continue;
      }
      const orphan = { key, sizeBytes };
      if (this.#ask.repair && !(await database.transact((tx) => orphanCondemn(tx, orphan)))) continue;
      const outcome = this.#ask.repair ? 'condemned' : 'reported';
      yield { kind: 'finding', problem: 'orphan', digest: null, storageKey: key, sizeBytes, outcome };
    }
  }

  async *#live(row: ScrubRow): AsyncGenerator<ScrubFinding> {
    this.#counts.rows += 1;
    const looked = await this.#look(row);
    if (!looked) return;
    const { problem, keptBytes } = looked;
    const found = { kind: 'finding', problem, ...nameOf(row) } as const;
    if (!this.#ask.repair || problem === 'unreadable') {
      if (await this.#unchanged(row)) yield { ...found, outcome: 'reported' };
      return;
    }
    const outcome = await this.#deps.database.transact(async (tx) => {
      const mended = await damagedMend(tx, row, keptBytes);
      const data = { problem, outcome: mended, digest: row.digest };
      if (mended !== 'changed')
        tx.emit({
          type: 'blob.damaged',
          lane: 'local',
          subject: row.digest,
          actor: this.#ask.actor,
          data,
        });
      return mended;
    });
    if (outcome !== 'changed') yield { ...found, outcome };
  }

  async *#remote(row: ScrubRow): AsyncGenerator<ScrubFinding> {
    if (!this.#ask.repair) return;
    const outcome = await this.#deps.database.transact((tx) => remoteMend(tx, row));
    if (outcome && outcome !== 'changed')
      yield { kind: 'finding', problem: 'remote', ...nameOf(row), outcome };
  }

  /** What is wrong with the bytes, if anything, and how many of them are there. */
  async #look(
    row: ScrubRow,
  ): Promise<{ problem: 'missing' | 'size' | 'rot' | 'unreadable'; keptBytes: number } | undefined> {
    if (row.storageKey === null) return { problem: 'missing', keptBytes: 0 };
    try {
      const { sizeBytes, stream } = await this.#deps.blobs.read(row.storageKey, undefined, this.#signal);
      if (sizeBytes !== row.sizeBytes || !this.#ask.verify) {
        await stream[Symbol.asyncIterator]().return?.();
        return sizeBytes === row.sizeBytes ? undefined : { problem: 'size', keptBytes: sizeBytes };
      }
      return (await this.#digest(stream)) === row.digest
        ? undefined
        : { problem: 'rot', keptBytes: sizeBytes };
    } catch (error) {
      if (hasCode(error, 'storeMissing')) return { problem: 'missing', keptBytes: 0 };
      if (!hasCode(error, 'unavailable')) throw error;
      await this.#deps.blobs.notes.names('scrub/'); // throws if the whole store is out of reach
      return { problem: 'unreadable', keptBytes: 0 };
    }
  }

  /** At a bounded pace: whoever pulls goes first. */
  async #digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
    const { clock } = this.#deps;
    const hash = createHash('sha256');
    const startedMs = clock.bootMs();
    let bytes = 0;
    for await (const chunk of stream) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      this.#counts.readBytes += chunk.byteLength;
      const aheadMs = (bytes / limits.scrubVerifyBytesPerSecond) * 1000 - (clock.bootMs() - startedMs);
      if (aheadMs > paceStepMs) await clock.sleep(aheadMs, this.#signal);
    }
    return digestEnd(hash, 'sha256');
  }

  /** What was read counts only if the row still means the same bytes. */
  async #unchanged(row: ScrubRow): Promise<boolean> {
    const [now] = await scrubRows(this.#deps.database.read, row.id - 1, 1);
    return now?.id === row.id && now.state === 'live' && now.storageKey === row.storageKey;
  }
}

const paceStepMs = 50;

function nameOf({ digest, storageKey, sizeBytes }: ScrubRow) {
  return { digest, storageKey, sizeBytes };
}

async function* batches(keys: AsyncIterable<StoredKey>): AsyncGenerator<readonly StoredKey[]> {
  let batch: StoredKey[] = [];
  for await (const key of keys) {
    batch.push(key);
    if (batch.length < limits.scrubBatch) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
