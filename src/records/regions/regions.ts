import type { Selectable } from 'kysely';
import { limits } from '../../lib/limits.ts';
import type { Tx } from '../db/database.ts';
import type { Reader } from '../db/engine.ts';
import type { RegionTable } from '../db/tables/fleet.ts';

/**
 * The regions that this one knows: itself and its peers. They come from the configuration at each start; what following
 * a peer has come to (two cursors, the heads that it named, when it was last heard) stays.
 */
export type Region = Selectable<RegionTable>;
export type FollowedLane = 'quarantine' | 'content';

interface RegionSeed {
  readonly name: string;
  /** As clients and peers reach it: `https://registry.example`. */
  readonly url: string;
  readonly location?: string | undefined;
}

export interface RegionSeeds {
  readonly self: RegionSeed;
  /** The name of the region that owns accounts, grants, deployments: itself or a peer. */
  readonly primary: string;
  readonly peers: readonly RegionSeed[];
}

/** Takes over what the configuration says. A region that it no longer names stays: its events and content do too. */
export async function regionsEnsure(tx: Tx, { self, primary, peers }: RegionSeeds): Promise<void> {
  for (const region of [self, ...peers]) {
    const seed = {
      url: region.url,
      is_self: region.name === self.name ? 1 : 0,
      is_primary: region.name === primary ? 1 : 0,
      location: region.location ?? null,
    };
    await tx.db
      .insertInto('regions')
      .values({ name: region.name, ...seed, ...neverFollowed })
      .onConflict((c) => c.column('name').doUpdateSet(seed))
      .execute();
  }
  await tx.db.updateTable('regions').set({ is_primary: 0 }).where('name', '!=', primary).execute();
  await tx.db.updateTable('regions').set({ is_self: 0 }).where('name', '!=', self.name).execute();
}

const neverFollowed = {
  quarantine_cursor: 0,
  quarantine_head: 0,
  content_cursor: 0,
  content_head: 0,
  content_skipped: 0,
  stopped_reason: null,
  last_heard_at: null,
};

/** Itself first, then by name. */
export function regionList(db: Reader): Promise<Region[]> {
  return db.selectFrom('regions').selectAll().orderBy('is_self', 'desc').orderBy('name').execute();
}

export function regionGet(db: Reader, name: string): Promise<Region | undefined> {
  return db.selectFrom('regions').selectAll().where('name', '=', name).executeTakeFirst();
}

export async function regionPrimary(db: Reader): Promise<string | undefined> {
  const row = await db.selectFrom('regions').select('name').where('is_primary', '=', 1).executeTakeFirst();
  return row?.name;
}

export interface Cursors {
  readonly quarantine: number;
  readonly content: number;
}

export async function regionCursors(db: Reader, peer: string): Promise<Cursors> {
  const row = await regionGet(db, peer);
  return { quarantine: row?.quarantine_cursor ?? 0, content: row?.content_cursor ?? 0 };
}

/**
 * Moves a cursor on, in the transaction that applies the event at `position`. It locks the peer's row, so of two server
 * processes that follow the same peer one applies the event and the other is told so.
 * @returns false if the event is applied already
 */
export async function regionAdvance(
  tx: Tx,
  peer: string,
  { lane, position }: { lane: FollowedLane; position: number },
): Promise<boolean> {
  const cursor = lane === 'quarantine' ? 'quarantine_cursor' : 'content_cursor';
  const result = await tx.db
    .updateTable('regions')
    .set({ [cursor]: position, ...(lane === 'quarantine' ? { stopped_reason: null } : {}) })
    .where('name', '=', peer)
    .where(cursor, '<', position)
    .executeTakeFirst();
  return result.numUpdatedRows > 0;
}

/**
 * A heartbeat of the peer came, naming how far its own events go.
 * @returns whether it was silent for so long before that it counted as out of reach
 */
export async function regionHeard(tx: Tx, peer: string, heads: Cursors): Promise<boolean> {
  const before = await regionGet(tx.db, peer);
  await tx.db
    .updateTable('regions')
    .set({ last_heard_at: tx.nowMs, quarantine_head: heads.quarantine, content_head: heads.content })
    .where('name', '=', peer)
    .execute();
  return tx.nowMs - (before?.last_heard_at ?? 0) > limits.connectedMs;
}

export async function regionSkipped(tx: Tx, peer: string): Promise<void> {
  await tx.db
    .updateTable('regions')
    .set((e) => ({ content_skipped: e('content_skipped', '+', 1) }))
    .where('name', '=', peer)
    .execute();
}

/** The peer's quarantine lane stands still until its cursor moves. @returns whether it did not stand still before */
export async function regionStopped(tx: Tx, peer: string, reason: string): Promise<boolean> {
  const result = await tx.db
    .updateTable('regions')
    .set({ stopped_reason: reason })
    .where('name', '=', peer)
    .where('stopped_reason', 'is distinct from', reason)
    .executeTakeFirst();
  return result.numUpdatedRows > 0;
}
