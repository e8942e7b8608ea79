import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../records/db/database.ts';
import type { Pace } from './pace.ts';

export interface CollectDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** How long what changed is left alone, and a deleted manifest can be brought back; milliseconds. */
  readonly graceMs: number;
  /** The machine whose clock it is; servers of a region may run on several. */
  readonly machine?: string;
  /** How it yields to pushes and pulls; without it, to nobody. */
  readonly pace?: Pace;
  /** Told of what was freed. */
  readonly metrics?: { readonly collected: (freed: { blobs: number; bytes: number }) => void };
}
