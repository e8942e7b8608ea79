import type { AccessSnapshot, ReplicatedEvent } from '../../contract/replication.ts';
import { accessSnapshotApply } from '../../records/access/access-snapshot.ts';
import type { Database } from '../../records/db/database.ts';
import { regionPrimary } from '../../records/regions/regions.ts';
import type { PeerLink } from './peer-link.ts';

/**
 * Who may do what comes as a whole, from the primary region only: at the beginning of each connection, and when an event
 * says that it has changed since.
 */
export class AccessFollower {
  readonly #database: Database;
  readonly #link: PeerLink;
  readonly #fromPrimary: boolean;
  /** Of the log of the primary region: what is here is at least as new. */
  #position = -1;

  private constructor(database: Database, link: PeerLink, fromPrimary: boolean) {
    this.#database = database;
    this.#link = link;
    this.#fromPrimary = fromPrimary;
  }

  static async of(database: Database, link: PeerLink): Promise<AccessFollower> {
    return new AccessFollower(database, link, (await regionPrimary(database.read)) === link.region);
  }

  /** Before the first event of a connection. @throws unavailable */
  async begin(signal: AbortSignal): Promise<void> {
    if (!this.#fromPrimary || this.#position >= 0) return;
    const snapshot = await this.#fetch(signal);
    await this.#database.transact((tx) => accessSnapshotApply(tx, snapshot, this.#link.region));
    this.#position = snapshot.position;
  }

  /** What `event` is to be applied with; undefined if that is here already, or of no concern. @throws unavailable */
  async snapshotFor(event: ReplicatedEvent, signal: AbortSignal): Promise<AccessSnapshot | undefined> {
    if (event.type !== 'access.changed' || !this.#fromPrimary || event.position <= this.#position)
      return undefined;
    return this.#fetch(signal);
  }

  /** The snapshot that `snapshotFor` gave is in the rows. */
  applied(snapshot: AccessSnapshot): void {
    this.#position = snapshot.position;
  }

  #fetch(signal: AbortSignal): Promise<AccessSnapshot> {
    return this.#link.access(signal);
  }
}
