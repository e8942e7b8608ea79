import { LazaretError } from '../../lib/errors.ts';
import { parseReference, parseTag } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import { assertNotRevoked, grantedManifestRefusal, pullRight } from '../../records/access/pull-right.ts';
import { manifestInRepository, type RepositoryManifest } from '../../records/catalog/manifests.ts';
import type { Database } from '../../records/db/database.ts';
import { childrenOf } from '../../records/inventory/image-list.ts';

/** @throws nameUnknown for a repository that the caller may not see, as for one that is not there; manifestUnknown */
export async function imageSeen(
  database: Database,
  caller: Caller,
  text: string,
): Promise<RepositoryManifest> {
  const { repository, tag, digest } = parseReference(text);
  const { name, account: owner } = repository;
  const right = await pullRight(database.read, caller, { repository: name, owner });
  if (right.kind === 'none')
    throw new LazaretError('nameUnknown', `there is no repository ${name} that you may use`);
  const reference = digest === undefined ? { tag: tag ?? parseTag('latest') } : { digest };
  const found = await manifestInRepository(database.read, { repository: name, reference });
  if (!found || found.deletedAt !== null)
    throw new LazaretError('manifestUnknown', `there is no image ${text}`);
  if (right.kind === 'granted' && caller.account !== null)
    assertNotRevoked(
      await grantedManifestRefusal(database.read, { account: caller.account, manifestDigest: found.digest }),
    );
  return found;
}

/**
 * One image: what the reference names, or of an index the one for the platform. Of an index that has one image only, that.
 * @throws as `imageSeen`; invalid for an index without a platform, notFound for one that lacks it
 */
export async function oneImageSeen(
  database: Database,
  caller: Caller,
  asked: { readonly reference: string; readonly platform?: string | undefined },
): Promise<RepositoryManifest> {
  const { reference, platform } = asked;
  const found = await imageSeen(database, caller, reference);
  if (found.kind !== 'index') return found;
  // Attestations are children too, of a platform that nothing runs on.
  const images = (await childrenOf(database.read, found.id)).filter(
    (child) => child.platform !== null && child.platform !== 'unknown/unknown',
  );
  const fitting = platform === undefined ? images : images.filter((child) => child.platform === platform);
  const [only] = fitting;
  const detail = { path: 'query.platform', platforms: images.map((child) => child.platform) };
  if (!only)
    throw new LazaretError('notFound', `${reference} is an index without an image for ${platform ?? 'any'}`, {
      detail,
    });
  if (fitting.length > 1)
    throw new LazaretError(
      'invalid',
      `${reference} is an index; say which of its images: ${detail.platforms.join(', ')}`,
      { detail },
    );
  return imageSeen(database, caller, `${found.repository.name}@${only.digest}`);
}
