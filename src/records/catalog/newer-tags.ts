import type { Reader } from '../db/engine.ts';

export interface NewerTag {
  readonly name: string;
  readonly manifestId: number;
  readonly kind: 'image' | 'index' | 'artifact';
}

/** The newest tags of a repository that were set after one of its manifests was pushed and name others, for its platform. */
export async function tagsPushedAfter(
  db: Reader,
  { repositoryId, manifestId }: { readonly repositoryId: number; readonly manifestId: number },
  limit: number,
): Promise<NewerTag[]> {
  const rows = await db
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .innerJoin('repository_manifests as before', (join) =>
      join.onRef('before.repository_id', '=', 'tags.repository_id').on('before.manifest_id', '=', manifestId),
    )
    .innerJoin('manifests as refused', 'refused.id', 'before.manifest_id')
    .select(['tags.name', 'tags.manifest_id', 'manifests.kind'])
    .where('tags.repository_id', '=', repositoryId)
    .where('tags.manifest_id', '!=', manifestId)
    .whereRef('tags.updated_at', '>=', 'before.pushed_at')
    .where((e) =>
      e.or([
        e('manifests.platform', 'is', null),
        e('refused.platform', 'is', null),
        e('manifests.platform', '=', e.ref('refused.platform')),
      ]),
    )
    .orderBy('tags.updated_at', 'desc')
    .orderBy('tags.name', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ name: row.name, manifestId: row.manifest_id, kind: row.kind }));
}
