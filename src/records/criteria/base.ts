import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { within } from '../db/keys.ts';

/**
 * What an image is built on: a layer that it has, or an image whose layers are its lowest. Layers are the same if their
 * bytes are, or what they unpack to. `known` is false where neither a layer nor an image here has the digest.
 */
export async function baseIs(
  database: Database,
  digest: string,
): Promise<{ condition: RawBuilder<boolean>; known: boolean }> {
  const manifestId = sql.ref('repository_manifests.manifest_id');
  const bases = await imagesNamed(database, digest);
  if (bases.length === 0) {
    const having = sql`select edges.manifest_id from edges
      where edges.kind = 'layer' and (edges.digest = ${digest} or edges.diff_id = ${digest})`;
    const [any] = await database.search(sql`${having} limit 1`.compile(database.read));
    return { condition: sql<boolean>`${manifestId} in (${having})`, known: any !== undefined };
  }
  const builtOn = bases.map(
    ({ id, layers }) => sql<boolean>`${manifestId} in (select upper.manifest_id from edges as base
      join edges as upper on upper.kind = 'layer' and (upper.digest = base.digest or upper.diff_id = base.diff_id)
        and upper.position = base.position
      where ${within(database, 'base.manifest_id', [id])} and base.kind = 'layer'
      group by upper.manifest_id having count(*) = ${layers})`,
  );
  return { condition: sql<boolean>`(${sql.join(builtOn, sql` or `)})`, known: true };
}

/** The image, or those of the index; each with the number of its layers. */
async function imagesNamed(database: Database, digest: string): Promise<{ id: number; layers: number }[]> {
  const rows = await database.search(
    sql<{ id: number; layers: number }>`select manifests.id, count(*) as layers
      from manifests join edges on edges.manifest_id = manifests.id and edges.kind = 'layer'
      where manifests.digest = ${digest} or manifests.digest in (select child.digest from edges as child
        join manifests as parent on parent.id = child.manifest_id
        where parent.digest = ${digest} and child.kind = 'child')
      group by manifests.id order by manifests.id`.compile(database.read),
  );
  return rows.map(({ id, layers }) => ({ id: Number(id), layers: Number(layers) }));
}
