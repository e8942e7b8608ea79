import type { AccessSnapshot, ManifestAttachment, ReplicatedEvent } from '../../contract/replication.ts';
import type { Field } from '../../lib/fields.ts';
import type { Tx } from '../../records/db/database.ts';
import type { CopyPolicy } from '../../records/regions/copies.ts';

/** What an event is applied with, in one transaction with the cursor. */
export interface Applying {
  readonly tx: Tx;
  readonly event: ReplicatedEvent;
  /** Of the event. */
  readonly data: Field;
  readonly attachment: ManifestAttachment | undefined;
  /** Fetched for `access.changed` of the primary region, when what is here is older. */
  readonly snapshot: AccessSnapshot | undefined;
  readonly policy: CopyPolicy;
}

/**
 * Applies an event of another region; may come again, and out of order with the other lane, so objects are applied only
 * if they are newer. @throws invalid (or what a field's reader throws) for data that is not of the type's shape
 */
export type Applier = (applying: Applying) => Promise<void>;
