import { LazaretError } from '../../lib/errors.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { Reader } from '../../records/db/engine.ts';

/** An image of one platform, in one repository. */
export interface DeployableImage {
  readonly manifestId: number;
  readonly digest: string;
  readonly repositoryId: number;
  readonly repository: string;
  readonly owner: string;
}

/**
 * What `text` (`acme/shop:1`, `acme/shop@sha256:…`) names now. Of an index, the one image for `platform`.
 * @throws nameInvalid, nameUnknown, manifestUnknown, invalid
 */
export async function deployableImage(db: Reader, text: string, platform: string): Promise<DeployableImage> {
  const reference = parseReference(text);
  const repository = await db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', reference.repository.name)
    .executeTakeFirst();
  if (!repository)
    throw new LazaretError('nameUnknown', `there is no repository '${reference.repository.name}'`);
  const named = await namedManifest(db, repository.id, reference);
  if (!named) throw new LazaretError('manifestUnknown', `there is no '${text}'`);
  const image = named.kind === 'index' ? await platformImage(db, named.id, { text, platform }) : named;
  if (image.kind !== 'image')
    throw new LazaretError('invalid', `'${text}' is no image that could run`, {
      detail: { path: 'reference' },
    });
  return {
    manifestId: image.id,
    digest: image.digest,
    repositoryId: repository.id,
    repository: reference.repository.name,
    owner: reference.repository.account,
  };
}

async function namedManifest(db: Reader, repositoryId: number, reference: Reference) {
  const manifests = db
    .selectFrom('manifests')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .select(['manifests.id', 'manifests.digest', 'manifests.kind'])
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repository_manifests.withdrawn_at', 'is', null);
  if (reference.digest)
    return manifests
      .where((e) =>
        e.or([
          e('manifests.digest', '=', reference.digest ?? ''),
          e('manifests.digest_sha512', '=', reference.digest ?? ''),
        ]),
      )
      .executeTakeFirst();
  return manifests
    .innerJoin('tags', 'tags.manifest_id', 'manifests.id')
    .where('tags.repository_id', '=', repositoryId)
    .where('tags.name', '=', reference.tag ?? 'latest')
    .executeTakeFirst();
}

async function platformImage(
  db: Reader,
  indexId: number,
  asked: { readonly text: string; readonly platform: string },
) {
  const children = await db
    .selectFrom('edges')
    .innerJoin('manifests', 'manifests.digest', 'edges.digest')
    .select(['manifests.id', 'manifests.digest', 'manifests.kind', 'manifests.platform'])
    .where('edges.manifest_id', '=', indexId)
    .where('edges.kind', '=', 'child')
    .where('manifests.kind', '=', 'image')
    .orderBy('edges.position')
    .execute();
  const fitting = children.find((child) => child.platform === asked.platform);
  const runnable = children.filter((child) => child.platform !== 'unknown/unknown');
  const image = fitting ?? (runnable.length === 1 ? runnable[0] : undefined);
  if (image) return image;
  const known = runnable.map((child) => child.platform ?? 'unknown').join(', ');
  throw new LazaretError(
    'manifestUnknown',
    `'${asked.text}' has no image for ${asked.platform} here; it has: ${known || 'none'}`,
    { detail: { path: 'platform' } },
  );
}
