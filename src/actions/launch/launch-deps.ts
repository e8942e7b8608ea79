import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Database } from '../../records/db/database.ts';

export interface LaunchDeps {
  readonly database: Database;
  /** The event criteria that come with an image are read from here. */
  readonly blobs: BlobStore;
  /** This region. */
  readonly region: string;
}
