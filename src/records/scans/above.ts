import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { within } from '../db/keys.ts';

/** What is above an image: who names it, and where it runs. */
export interface Above {
  readonly tags: readonly { readonly repository: string; readonly tag: string }[];
  /** Digests of the indexes that name it. */
  readonly indexes: readonly string[];
  readonly containers: readonly RunningContainer[];
}

export interface RunningContainer {
  readonly uid: string;
  readonly deployment: string;
  readonly account: string;
  readonly region: string;
  readonly instance: string;
  readonly state: string;
}

/** Keyed by manifest id; tags of the indexes above count for the image too. */
export async function aboveImages(
  database: Database,
  manifestIds: readonly number[],
): Promise<Map<number, Above>> {
  if (manifestIds.length === 0) return new Map();
  const named = sql`(select id as image_id, id as named_id from manifests where ${within(database, 'id', manifestIds)}
    union select children.id, edges.manifest_id from manifests as children
      join edges on edges.digest = children.digest and edges.kind = 'child'
      where ${within(database, 'children.id', manifestIds)})`;
  const [rows, containers] = await Promise.all([
    database.search(
      sql<NamedAbove>`select named.image_id, manifests.id as named_id, manifests.digest, repositories.name as repository,
          tags.name as tag
        from ${named} as named join manifests on manifests.id = named.named_id
        left join tags on tags.manifest_id = manifests.id
        left join repositories on repositories.id = tags.repository_id
        order by 4, 5`.compile(database.read),
    ),
    containersOfImages(database, manifestIds),
  ]);
  const byImage = Map.groupBy(rows, (row) => Number(row.image_id));
  return new Map(
    manifestIds.map((id) => {
      const named = byImage.get(id) ?? [];
      const indexes = new Set(named.flatMap((row) => (row.named_id === row.image_id ? [] : row.digest)));
      const tags = named.flatMap(({ repository, tag }) =>
        repository === null || tag === null ? [] : { repository, tag },
      );
      return [id, { tags, indexes: [...indexes], containers: containers.get(id) ?? [] }];
    }),
  );
}

/** An image or an index above it, with each of its tags; null: it has none. */
interface NamedAbove {
  readonly image_id: number;
  readonly named_id: number;
  readonly digest: string;
  readonly repository: string | null;
  readonly tag: string | null;
}

/** What runs of each image, keyed by manifest id. */
export async function containersOfImages(
  database: Database,
  manifestIds: readonly number[],
): Promise<ReadonlyMap<number, readonly RunningContainer[]>> {
  if (manifestIds.length === 0) return new Map();
  const rows = await database.search(
    sql<RunningContainer & { image_id: number }>`select manifests.id as image_id, containers.uid,
        coalesce(deployments.name, containers.deployment_uid) as deployment, containers.account, containers.region,
        containers.instance, containers.state
      from manifests join containers on containers.manifest_digest = manifests.digest
      left join deployments on deployments.uid = containers.deployment_uid
      where ${within(database, 'manifests.id', manifestIds)} and containers.state in ('starting', 'running')`.compile(
      database.read,
    ),
  );
  const of = new Map<number, RunningContainer[]>();
  for (const { image_id, ...container } of rows)
    of.set(Number(image_id), [...(of.get(Number(image_id)) ?? []), container]);
  return of;
}
