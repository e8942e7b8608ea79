import type { ReplicationLine } from '../../contract/replication.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import { type Cursors, regionGet, regionStopped } from '../../records/regions/regions.ts';

/**
 * Watches, over one connection, that the peer's log still holds what was applied here: what it says must not end before
 * the cursors that the connection began with. Once it did, nothing more is taken until the peer says that it was restored,
 * and so goes on above whatever it has ever said.
 */
export class PeerHistory {
  readonly #database: Database;
  readonly #peer: string;
  readonly #cursors: Cursors;
  /** The lanes in which nothing but `region.restored` may come next. */
  readonly #broken: Set<'quarantine' | 'content'>;

  private constructor(database: Database, peer: string, from: { cursors: Cursors; broken: boolean }) {
    this.#database = database;
    this.#peer = peer;
    this.#cursors = from.cursors;
    this.#broken = new Set(from.broken ? ['quarantine', 'content'] : []);
  }

  static async of(database: Database, peer: string, cursors: Cursors): Promise<PeerHistory> {
    const region = await regionGet(database.read, peer);
    return new PeerHistory(database, peer, { cursors, broken: region?.stopped_reason === reasonFor(peer) });
  }

  /** @throws conflict */
  async check(line: ReplicationLine): Promise<void> {
    if (!('head' in line)) {
      if (line.event.type === 'region.restored') this.#broken.delete(line.lane);
      if (this.#broken.has(line.lane)) await this.#refuse();
      return;
    }
    const { quarantine, content } = this.#cursors;
    if (line.head.quarantine < quarantine || line.head.content < content || this.#broken.size > 0)
      await this.#refuse();
  }

  async #refuse(): Promise<never> {
    const reason = reasonFor(this.#peer);
    await this.#database.transact((tx) => regionStopped(tx, this.#peer, reason));
    throw new LazaretError('conflict', reason);
  }
}

function reasonFor(peer: string): string {
  return `the log of region ${peer} ends before what was applied here: it was put back without lazaret restore`;
}
