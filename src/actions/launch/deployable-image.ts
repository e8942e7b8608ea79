import { LazaretError } from '../../lib/errors.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import { imagesOfIndex, manifestNamed } from '../../records/catalog/images.ts';
import { repositoryFind } from '../../records/catalog/repositories.ts';
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
  const repository = await repositoryFind(db, reference.repository.name);
  if (!repository)
    throw new LazaretError('nameUnknown', `there is no repository '${reference.repository.name}'`);
  const named = await manifestNamed(db, repository.id, nameOf(reference));
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

function nameOf({
  digest,
  tag = 'latest',
}: Reference): { readonly digest: string } | { readonly tag: string } {
  return digest === undefined ? { tag } : { digest };
}

async function platformImage(
  db: Reader,
  indexId: number,
  asked: { readonly text: string; readonly platform: string },
) {
  const children = await imagesOfIndex(db, indexId);
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
