import { parseCriteria } from '../../criteria/parse.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { imagesOfIndex } from '../../records/catalog/images.ts';
import { manifestInRepository, type TagOrDigest } from '../../records/catalog/manifests.ts';
import { type NewerTag, tagsPushedAfter } from '../../records/catalog/newer-tags.ts';
import type { Database } from '../../records/db/database.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { quarantineGet } from '../../records/marks/quarantines.ts';
import { imageMeets } from '../scan/image-meets.ts';

const candidatesMax = 3;

/**
 * What whoever is refused may use instead: the newest tag of the same repository that was set after the refused image was
 * pushed, if it is served, is for the same platform, and all of it was inspected and does not match. Anything less certain
 * is no answer.
 */
export async function fixedTag(
  { database }: { readonly database: Database },
  ask: {
    readonly repository: RepositoryName;
    readonly reference: TagOrDigest;
    readonly quarantine: string;
  },
): Promise<string | undefined> {
  const { repository, reference } = ask;
  const db = database.read;
  const refused = await manifestInRepository(db, { repository: repository.name, reference });
  const quarantine = await quarantineGet(db, ask.quarantine);
  if (!refused || !quarantine) return undefined;
  const criteria = quarantine.criteria === null ? undefined : parseCriteria(quarantine.criteria);
  const after = { repositoryId: refused.repository.id, manifestId: refused.id };
  for (const tag of await tagsPushedAfter(db, after, candidatesMax)) {
    const scope = { repository: repository.name, account: refused.repository.account };
    if (await refusalOfManifest(db, scope, tag.manifestId)) continue;
    if (await isWithout(database, tag, criteria)) return `${repository.name}:${tag.name}`;
  }
  return undefined;
}

/** Every image of it was inspected and does not match. */
async function isWithout(
  database: Database,
  tag: NewerTag,
  criteria: ReturnType<typeof parseCriteria> | undefined,
): Promise<boolean> {
  const below = tag.kind === 'index' ? await imagesOfIndex(database.read, tag.manifestId) : [];
  const platforms = below.filter((image) => image.platform !== 'unknown/unknown');
  const images = tag.kind === 'index' ? platforms.map((image) => image.id) : [tag.manifestId];
  if (images.length === 0) return false;
  if (!criteria) return true;
  for (const image of images)
    if ((await imageMeets(database, image, criteria)).verdict !== 'noMatch') return false;
  return true;
}
