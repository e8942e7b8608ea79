import { limits } from '../../lib/limits.ts';
import { immutabilityOver } from '../catalog/immutability.ts';
import type { Repository } from '../catalog/repositories.ts';
import type { Reader } from '../db/engine.ts';
import { manifestsHeld } from '../holds/manifests-held.ts';
import { refusalOfManifest } from '../marks/door.ts';
import { manifestsMaybeMarked } from './maybe-marked.ts';
import type { ManifestFact, RetentionFacts } from './verdict.ts';

/** All of a repository that retention decides from. */
export async function retentionFacts(
  db: Reader,
  repository: Repository,
  nowMs: number,
): Promise<RetentionFacts> {
  const facts = await factsOf(db, repository, { nowMs, among: undefined });
  return { tags: facts.tags, manifests: await withMarks(db, repository, facts.manifests) };
}

/**
 * Of these manifests, and of what their fate hangs on: indexes that name them, their children and subjects. Marks are not
 * looked at.
 */
export async function retentionFactsAround(
  db: Reader,
  repository: Repository,
  { manifestIds, nowMs }: { manifestIds: readonly number[]; nowMs: number },
): Promise<RetentionFacts> {
  const around = new Set(manifestIds);
  for (const id of await namedBy(db, manifestIds, ['subject'])) around.add(id);
  for (const id of await indexesNaming(db, manifestIds)) around.add(id);
  let level = manifestIds;
  for (let depth = 0; level.length > 0 && depth < limits.indexDepthMax; depth++) {
    level = (await namedBy(db, level, ['child'])).filter((id) => !around.has(id));
    for (const id of level) around.add(id);
  }
  return factsOf(db, repository, { nowMs, among: [...around] });
}

async function namedBy(
  db: Reader,
  manifestIds: readonly number[],
  kinds: readonly ('child' | 'subject')[],
): Promise<number[]> {
  if (manifestIds.length === 0) return [];
  const rows = await db
    .selectFrom('edges')
    .innerJoin('manifests', (join) =>
      join.on((e) =>
        e.or([
          e('manifests.digest', '=', e.ref('edges.digest')),
          e('manifests.digest_sha512', '=', e.ref('edges.digest')),
        ]),
      ),
    )
    .select('manifests.id')
    .distinct()
    .where('edges.manifest_id', 'in', [...manifestIds])
    .where('edges.kind', 'in', [...kinds])
    .execute();
  return rows.map((row) => row.id);
}

async function indexesNaming(db: Reader, manifestIds: readonly number[]): Promise<number[]> {
  if (manifestIds.length === 0) return [];
  const rows = await db
    .selectFrom('manifests')
    .innerJoin('edges', 'edges.digest', 'manifests.digest')
    .select('edges.manifest_id')
    .distinct()
    .where('manifests.id', 'in', [...manifestIds])
    .where('edges.kind', '=', 'child')
    .execute();
  return rows.map((row) => row.manifest_id);
}

/** @param scope.among undefined: all */
async function factsOf(
  db: Reader,
  repository: Repository,
  { nowMs, among }: { nowMs: number; among: readonly number[] | undefined },
): Promise<RetentionFacts> {
  let query = db
    .selectFrom('repository_manifests')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .select(['manifests.id', 'manifests.digest', 'manifests.digest_sha512'])
    .select(['repository_manifests.pushed_at', 'repository_manifests.last_pulled_at'])
    .select('repository_manifests.untagged_at')
    .where('repository_manifests.repository_id', '=', repository.id)
    .where('repository_manifests.deleted_at', 'is', null);
  if (among) query = query.where('repository_manifests.manifest_id', 'in', [...among]);
  const rows = await query.orderBy('manifests.id').execute();
  const digests = new Map(
    rows.flatMap((row) => [
      [row.digest, row.digest] as const,
      ...(row.digest_sha512 === null ? [] : [[row.digest_sha512, row.digest] as const]),
    ]),
  );
  const edges = await namingEdges(db, repository.id, among);
  const named = (manifestId: number, kind: 'child' | 'subject') =>
    (edges.get(manifestId) ?? [])
      .filter((edge) => edge.kind === kind)
      .map((edge) => digests.get(edge.digest))
      .filter((digest) => digest !== undefined);
  const held = await manifestsHeld(db, { repositoryId: repository.id, nowMs });
  const manifests = rows.map(
    (row): ManifestFact => ({
      id: row.id,
      digest: row.digest,
      pushedAt: row.pushed_at,
      pulledAt: row.last_pulled_at,
      untaggedAt: row.untagged_at,
      children: named(row.id, 'child'),
      subject: named(row.id, 'subject')[0] ?? null,
      heldBy: held.get(row.digest) ?? null,
      quarantine: null,
    }),
  );
  return { tags: await tagFacts(db, repository, among), manifests };
}

async function tagFacts(
  db: Reader,
  repository: Repository,
  among: readonly number[] | undefined,
): Promise<RetentionFacts['tags']> {
  let query = db
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['tags.name', 'manifests.digest', 'tags.updated_at', 'tags.restored_at'])
    .where('tags.repository_id', '=', repository.id);
  if (among) query = query.where('tags.manifest_id', 'in', [...among]);
  const rows = await query.orderBy('tags.name').execute();
  const immutableBy = await immutabilityOver(db, repository);
  return rows.map((row) => ({
    name: row.name,
    digest: row.digest,
    immutableBy: immutableBy(row.name),
    setAt: row.updated_at,
    restored: row.restored_at !== null,
  }));
}

type NamingEdge = { readonly kind: string; readonly digest: string };

/** Child and subject edges of the manifests in service. */
async function namingEdges(
  db: Reader,
  repositoryId: number,
  among: readonly number[] | undefined,
): Promise<ReadonlyMap<number, NamingEdge[]>> {
  let query = db
    .selectFrom('repository_manifests')
    .innerJoin('edges', 'edges.manifest_id', 'repository_manifests.manifest_id')
    .select(['edges.manifest_id', 'edges.kind', 'edges.digest'])
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('edges.kind', 'in', ['child', 'subject']);
  if (among) query = query.where('repository_manifests.manifest_id', 'in', [...among]);
  const rows = await query.execute();
  return Map.groupBy(rows, (row) => row.manifest_id);
}

/** The door decides; it is asked only where a mark may reach at all. */
async function withMarks(
  db: Reader,
  repository: Repository,
  manifests: readonly ManifestFact[],
): Promise<ManifestFact[]> {
  const maybe = await manifestsMaybeMarked(db, repository, manifests);
  const scope = { repository: repository.name, account: repository.account };
  const checked: ManifestFact[] = [];
  for (const manifest of manifests) {
    const refusal = maybe.has(manifest.id) ? await refusalOfManifest(db, scope, manifest.id) : undefined;
    checked.push(refusal ? { ...manifest, quarantine: refusal.quarantine } : manifest);
  }
  return checked;
}
