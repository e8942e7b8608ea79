import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';

/** Who was served or refused what, folded per minute: beside the log, which holds changes only. */
export interface LedgerEntry {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly principal: string;
  readonly repository: string;
  /** A digest; of a manifest that was refused when it was pushed by tag, the tag. */
  readonly digest: string;
  readonly verdict: 'served' | 'refused';
  readonly count: number;
}

const minuteMs = 60_000;

export function minuteOf(ms: number): number {
  return Math.floor(ms / minuteMs);
}

/** Adds to what is there, and notes when the served manifests were last pulled. */
export async function ledgerAdd(tx: Tx, entries: readonly LedgerEntry[]): Promise<void> {
  for (const entry of entries) {
    await tx.db
      .insertInto('ledger')
      .values(entry)
      .onConflict((c) =>
        c
          .columns(['minute', 'principal', 'repository', 'digest', 'verdict'])
          .doUpdateSet((e) => ({ count: e('ledger.count', '+', entry.count) })),
      )
      .execute();
    if (entry.verdict === 'served') await lastPulledSet(tx, entry);
  }
}

export async function refusalCount(db: Reader, digests: readonly string[]): Promise<number> {
  if (digests.length === 0) return 0;
  const row = await db
    .selectFrom('ledger')
    .select((e) => e.fn.sum<number | null>('count').as('refused'))
    .where('digest', 'in', digests)
    .where('verdict', '=', 'refused')
    .executeTakeFirst();
  return Number(row?.refused ?? 0);
}

async function lastPulledSet(tx: Tx, { repository, digest, minute }: LedgerEntry): Promise<void> {
  await tx.db
    .updateTable('repository_manifests')
    .set({ last_pulled_at: minute * minuteMs })
    .where('manifest_id', 'in', (e) => e.selectFrom('manifests').select('id').where('digest', '=', digest))
    .where('repository_id', 'in', (e) =>
      e.selectFrom('repositories').select('id').where('name', '=', repository),
    )
    .execute();
}
