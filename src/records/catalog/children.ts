import type { Digest } from '../../oci/digest.ts';
import { digestAlgorithm } from '../../oci/digest.ts';
import type { Reader } from '../db/engine.ts';
import { digestColumn } from './blobs.ts';

/** Which of these manifests the repository has, also in its trash: an index that names one brings it back. */
export async function manifestsHere(
  db: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlySet<string>> {
  const here = new Set<string>();
  for (const algorithm of ['sha256', 'sha512']) {
    const asked = digests.filter((digest) => digestAlgorithm(digest) === algorithm);
    const [first] = asked;
    if (first === undefined) continue;
    const column = digestColumn(first);
    const rows = await db
      .selectFrom('repository_manifests')
      .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
      .select(`${column} as name`)
      .where('repository_manifests.repository_id', '=', repositoryId)
      .where('repository_manifests.withdrawn_at', 'is', null)
      .where(column, 'in', asked)
      .execute();
    for (const { name } of rows) if (name !== null) here.add(name);
  }
  return here;
}
