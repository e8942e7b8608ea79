import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import type { HoldTable } from '../db/tables/catalog.ts';

/** A hold keeps a blob or a manifest from collection, until it expires, is released or, without an end, for good. */
export interface Hold {
  readonly kind: HoldTable['kind'];
  readonly digest: string;
  /** What made it: an upload id, a deployment uid, a person. */
  readonly holder: string;
  /** Milliseconds since 1970; null: until it is released. */
  readonly expiresAt: number | null;
}

/** One hold per kind, digest and holder: setting it again replaces its end. Forgets those of the digest that have ended. */
export async function holdSet(tx: Tx, hold: Hold): Promise<void> {
  await endedForgotten(tx.db, { digest: hold.digest, nowMs: tx.nowMs });
  await holdWritten(tx.db, { ...hold, nowMs: tx.nowMs });
}

const endedForgotten = keptQuery((db, { digest, nowMs }: { digest: string; nowMs: number }) =>
  db
    .deleteFrom('holds')
    .where('digest', '=', digest)
    .where('expires_at', 'is not', null)
    .where('expires_at', '<', nowMs),
);

const holdWritten = keptQuery((db, { kind, digest, holder, expiresAt, nowMs }: Hold & { nowMs: number }) => {
  const times = { expires_at: expiresAt, created_at: nowMs };
  return db
    .insertInto('holds')
    .values({ kind, digest, holder, ...times })
    .onConflict((c) => c.columns(['kind', 'digest', 'holder']).doUpdateSet(times));
});

/**
 * After an answer that lets a client skip an upload: the content stays for `limits.uploadHoldMs` at least. It is held a
 * little longer, so that answers within `limits.holdExtendEveryMs` need no write: see `holdCovers`.
 */
export function holdExtend(tx: Tx, digest: string): Promise<void> {
  const expiresAt = tx.nowMs + limits.uploadHoldMs + limits.holdExtendEveryMs;
  return holdSet(tx, { kind: 'answer', digest, holder: 'door', expiresAt });
}

/** Whether some hold keeps the content until `untilMs` anyway. */
export async function holdCovers(db: Reader, digest: string, untilMs: number): Promise<boolean> {
  return (await holdsUntil(db, { digest, untilMs })).length > 0;
}

const holdsUntil = keptQuery((db, { digest, untilMs }: { digest: string; untilMs: number }) =>
  db
    .selectFrom('holds')
    .select('id')
    .where('digest', '=', digest)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>=', untilMs)]))
    .limit(1),
);

/** All holds of a holder, or the one of `digest`. */
export async function holdRelease(
  tx: Tx,
  hold: { kind: HoldTable['kind']; holder: string; digest?: string },
): Promise<void> {
  let query = tx.db.deleteFrom('holds').where('kind', '=', hold.kind).where('holder', '=', hold.holder);
  if (hold.digest !== undefined) query = query.where('digest', '=', hold.digest);
  await query.execute();
}
