import { sql } from 'kysely';
import { limits } from '../../lib/limits.ts';
import { chainIds } from '../../oci/chain-id.ts';
import type { Database } from '../db/database.ts';
import { byCodeUnit, textTable } from '../db/engine.ts';
import type { LayerOfImage } from './image-layers.ts';
import type { RepositoryOfAccount } from './image-list.ts';

/** Another image, all of whose layers are the lowest layers of an image that has more. */
export interface BaseImage {
  readonly manifestId: number;
  readonly repository: string;
  readonly digest: string;
  /** How many layers it has. */
  readonly layers: number;
}

/**
 * The known image with most layers that an image begins with, in a repository that is `seen`. Layers are the same by what
 * they unpack to, however they are compressed. Of several images of the same layers a tagged one is named, and of those
 * the one that was here first. Of each number of layers `baseImagesMax` images are looked at.
 * @param layers the image's, from the base up
 */
export async function baseImage(
  database: Database,
  layers: readonly Pick<LayerOfImage, 'diffId'>[],
  seen: (repository: RepositoryOfAccount) => boolean,
): Promise<BaseImage | undefined> {
  const unread = layers.findIndex(({ diffId }) => diffId === null);
  const known = layers.slice(0, unread === -1 ? layers.length - 1 : unread);
  const chains = chainIds(known.flatMap(({ diffId }) => diffId ?? []));
  if (chains.length === 0) return undefined;
  const { rows } = await sql<{ text: string }>`select wanted.text from ${textTable(database.engine, chains)}
    where exists (select 1 from images where images.chain_id = wanted.text)`.execute(database.read);
  for (const chainId of longestFirst(
    chains,
    rows.map(({ text }) => text),
  )) {
    const found = (await imagesOfChain(database, chainId)).find(seen);
    if (found) {
      const { manifestId, name: repository, digest } = found;
      return { manifestId: Number(manifestId), repository, digest, layers: chains.indexOf(chainId) + 1 };
    }
  }
  return undefined;
}

function longestFirst(chains: readonly string[], found: readonly string[]): string[] {
  return found.toSorted((a, b) => chains.indexOf(b) - chains.indexOf(a));
}

interface PlacedImage extends RepositoryOfAccount {
  readonly manifestId: number;
  readonly digest: string;
}

function imagesOfChain(database: Database, chainId: string): Promise<readonly PlacedImage[]> {
  return database.search(
    sql<PlacedImage>`select manifests.id as "manifestId", manifests.digest, repositories.name,
        accounts.name as account
      from (select manifest_id from images where chain_id = ${chainId}
        order by manifest_id limit ${limits.baseImagesMax}) as base
      join manifests on manifests.id = base.manifest_id
      join repository_manifests on repository_manifests.manifest_id = base.manifest_id
        and repository_manifests.deleted_at is null and repository_manifests.withdrawn_at is null
      join repositories on repositories.id = repository_manifests.repository_id
      join accounts on accounts.id = repositories.account_id
      order by case when exists (select 1 from tags where tags.manifest_id = base.manifest_id
          and tags.repository_id = repositories.id) then 0 else 1 end,
        base.manifest_id, ${byCodeUnit(database.engine, 'repositories.name')}`.compile(database.read),
  );
}
