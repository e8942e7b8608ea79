import { type SbomFormat, sbomMediaTypes } from '../../oci/sbom-formats.ts';
import type { Repository } from '../catalog/repositories.ts';
import type { Reader } from '../db/engine.ts';

/** An image in a repository. */
export interface SbomName {
  readonly repository: string;
  readonly digest: string;
}

export interface ImageForSbom {
  /** `unready`: not inspected, or about to be viewed anew; or out of service, or no image. */
  readonly state: 'ready' | 'unready';
  readonly id: number;
  /** When its view was kept. */
  readonly viewedAt: number | null;
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly repository: Pick<Repository, 'id' | 'name' | 'account'>;
}

/** undefined: the repository has it no longer. */
export async function imageForSbom(db: Reader, name: SbomName): Promise<ImageForSbom | undefined> {
  const row = await db
    .selectFrom('repository_manifests')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
    .leftJoin('images', 'images.manifest_id', 'manifests.id')
    .select(['manifests.id', 'manifests.digest', 'manifests.media_type', 'manifests.size_bytes'])
    .select(['repositories.id as repositoryId', 'repositories.name', 'accounts.name as account'])
    .select(['images.state', 'images.wanted', 'images.inspected_at', 'repository_manifests.withdrawn_at'])
    .where('repositories.name', '=', name.repository)
    .where('manifests.digest', '=', name.digest)
    .where('repository_manifests.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return undefined;
  const isViewed = (row.state === 'done' || row.state === 'unknown') && row.wanted === 0;
  return {
    state: isViewed && row.withdrawn_at === null ? 'ready' : 'unready',
    id: row.id,
    viewedAt: row.inspected_at,
    digest: row.digest,
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    repository: { id: row.repositoryId, name: row.name, account: row.account },
  };
}

export interface SbomBeside {
  readonly id: number;
  readonly digest: string;
  readonly pushedBy: string;
}

/** The bills of materials of an image that the repository has, by whomever, in these formats. */
export function sbomsBeside(
  db: Reader,
  { repository, digest, formats }: SbomName & { readonly formats: readonly SbomFormat[] },
): Promise<SbomBeside[]> {
  if (formats.length === 0) return Promise.resolve([]);
  return db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .select(['manifests.id', 'manifests.digest', 'repository_manifests.pushed_by as pushedBy'])
    .where('edges.digest', '=', digest)
    .where('edges.kind', '=', 'subject')
    .where(
      'manifests.artifact_type',
      'in',
      formats.map((format) => sbomMediaTypes[format]),
    )
    .where('repositories.name', '=', repository)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repository_manifests.withdrawn_at', 'is', null)
    .orderBy('manifests.id')
    .execute();
}

/** Those in service whose home is this region. */
export function repositoriesWithImage(
  db: Reader,
  region: string,
  digest: string,
): Promise<{ name: string; account: string }[]> {
  return db
    .selectFrom('manifests')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('accounts', 'accounts.id', 'repositories.account_id')
    .select(['repositories.name', 'accounts.name as account'])
    .where('manifests.digest', '=', digest)
    .where('manifests.kind', '=', 'image')
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repositories.home_region', '=', region)
    .execute();
}

/** So that what is done with them is a short transaction. */
const imagesAtOnce = 100;

/** All of its images, some at a time. */
export async function* imagesOfRepository(
  db: Reader,
  { id, name }: Pick<Repository, 'id' | 'name'>,
): AsyncGenerator<readonly SbomName[]> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('repository_manifests')
      .innerJoin('manifests', 'manifests.id', 'repository_manifests.manifest_id')
      .select(['manifests.id', 'manifests.digest'])
      .where('repository_manifests.repository_id', '=', id)
      .where('repository_manifests.manifest_id', '>', after)
      .where('repository_manifests.deleted_at', 'is', null)
      .where('manifests.kind', '=', 'image')
      .orderBy('repository_manifests.manifest_id')
      .limit(imagesAtOnce)
      .execute();
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(({ digest }) => ({ repository: name, digest }));
    after = last.id;
  }
}
