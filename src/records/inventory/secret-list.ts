import { sql } from 'kysely';
import { formatFingerprint } from '../../secrets/fingerprint.ts';
import type { Database } from '../db/database.ts';
import { within } from '../db/keys.ts';
import { type FoundPlace, type FoundRow, foundList } from './found-list.ts';
import { globFilter, type InventoryAsk, type InventoryPage } from './list.ts';

/** Where an image has a secret; its value is nowhere. */
export interface ListedSecret extends FoundPlace {
  readonly kind: string;
  /** `config:Env/TOKEN` of the image's config. */
  readonly path: string;
  /** null: in the config. */
  readonly line: number | null;
  readonly fingerprint: string;
}

export interface SecretAsk extends InventoryAsk {
  /** A glob over the names of kinds. */
  readonly kind?: string | undefined;
}

interface SecretRow extends FoundRow {
  readonly kind: string;
  readonly line: number;
  readonly fingerprint: Uint8Array;
  readonly key_version: number;
}

/** In order of their paths. @throws invalid */
export function secretList(database: Database, ask: SecretAsk): Promise<InventoryPage<ListedSecret>> {
  const { manifestId, layer: asked } = ask;
  const ofConfig = asked === undefined ? sql<boolean>`manifest_id = ${manifestId}` : sql<boolean>`1 = 0`;
  return foundList<SecretRow, ListedSecret>(database, ask, {
    rowsIn: (
      blobIds,
    ) => sql`select layer_secrets.kind, paths.path, layer_secrets.line, layer_secrets.fingerprint,
          layer_secrets.key_version, layer_secrets.blob_id, layer_secrets.id
        from layer_secrets join paths on paths.id = layer_secrets.path_id
        where ${within(database, 'layer_secrets.blob_id', blobIds)}
        union all
        select kind, place, 0, fingerprint, key_version, 0, id from image_secrets where ${ofConfig}`,
    matches: globFilter<SecretRow>(
      { glob: ask.kind, of: ({ kind }) => kind },
      { glob: ask.path, of: ({ path }) => path },
    ),
    itemOf: ({ kind, path, line, fingerprint, key_version: keyVersion }, place) => ({
      kind,
      path,
      line: place.layer === null ? null : Number(line),
      fingerprint: formatFingerprint(Number(keyVersion), fingerprint),
      ...place,
    }),
  });
}
