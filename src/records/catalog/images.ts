import type { Reader } from '../db/engine.ts';

/** An image or an index of them, as a repository has it in service. */
export interface NamedManifest {
  readonly id: number;
  readonly digest: string;
  readonly kind: 'image' | 'index' | 'artifact';
}

export async function manifestIdOf(db: Reader, digest: string): Promise<number | undefined> {
  const row = await db.selectFrom('manifests').select('id').where('digest', '=', digest).executeTakeFirst();
  return row?.id;
}

/** What a tag or a digest names in a repository, unless it was deleted or withdrawn. */
export function manifestNamed(
  db: Reader,
  repositoryId: number,
  reference: { readonly digest: string } | { readonly tag: string },
): Promise<NamedManifest | undefined> {
  const manifests = db
    .selectFrom('manifests')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .select(['manifests.id', 'manifests.digest', 'manifests.kind'])
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repository_manifests.withdrawn_at', 'is', null);
  if ('digest' in reference) {
    const { digest } = reference;
    return manifests
      .where((e) => e.or([e('manifests.digest', '=', digest), e('manifests.digest_sha512', '=', digest)]))
      .executeTakeFirst();
  }
  return manifests
    .innerJoin('tags', 'tags.manifest_id', 'manifests.id')
    .where('tags.repository_id', '=', repositoryId)
    .where('tags.name', '=', reference.tag)
    .executeTakeFirst();
}

/** The images of an index that are here, in its order. */
export function imagesOfIndex(
  db: Reader,
  indexId: number,
): Promise<(NamedManifest & { readonly platform: string | null })[]> {
  return db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.digest', 'edges.digest')
    .select(['manifests.id', 'manifests.digest', 'manifests.kind', 'manifests.platform'])
    .where('edges.manifest_id', '=', indexId)
    .where('edges.kind', '=', 'child')
    .where('manifests.kind', '=', 'image')
    .orderBy('edges.position')
    .execute();
}

/** How many blobs that an image needs have no verified bytes in this region's store. */
export async function blobsMissing(db: Reader, manifestId: number): Promise<number> {
  const row = await db
    .selectFrom('edges')
    .leftJoin('blobs', (join) =>
      join
        .onRef('blobs.digest', '=', 'edges.digest')
        .on('blobs.state', '=', 'live')
        .on('blobs.storage_key', 'is not', null),
    )
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', 'in', ['config', 'layer'])
    .where('blobs.id', 'is', null)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** Documents attached to an image in its repository: artifacts of a type whose first layer is the document. */
export function attachedDocuments(
  db: Reader,
  image: { readonly digest: string; readonly repositoryId: number },
  asked: { readonly artifactType: string; readonly limit: number },
): Promise<{ referrer: string; storageKey: string | null }[]> {
  return db
    .selectFrom('edges as subject')
    .innerJoin('manifests', 'manifests.id', 'subject.manifest_id')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .innerJoin('edges as layer', 'layer.manifest_id', 'manifests.id')
    .leftJoin('blobs', (join) =>
      join.onRef('blobs.digest', '=', 'layer.digest').on('blobs.state', '=', 'live'),
    )
    .select(['manifests.digest as referrer', 'blobs.storage_key as storageKey'])
    .where('subject.kind', '=', 'subject')
    .where('subject.digest', '=', image.digest)
    .where('manifests.artifact_type', '=', asked.artifactType)
    .where('repository_manifests.repository_id', '=', image.repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('layer.kind', '=', 'layer')
    .where('layer.position', '=', 0)
    .orderBy('manifests.digest')
    .limit(asked.limit)
    .execute();
}
