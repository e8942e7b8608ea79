import { advisoryGaps, findingCounts, findingsIn } from '../../actions/describe/image-findings.ts';
import { imageListRoute, imageShow } from '../../contract/images.ts';
import type { RouteAnswer } from '../../contract/route.ts';
import { limits } from '../../lib/limits.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import { advisorySourceList } from '../../records/advisories/sources.ts';
import type { RepositoryManifest } from '../../records/catalog/manifests.ts';
import type { Database } from '../../records/db/database.ts';
import { baseImage } from '../../records/inventory/base-image.ts';
import {
  childrenOf,
  imageList,
  type ListedImage,
  type RepositoryOfAccount,
  tagsOf,
} from '../../records/inventory/image-list.ts';
import { type ImageInventory, imageInventory } from '../../records/inventory/image-read.ts';
import { imageMalware } from '../../records/inventory/malware-list.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import { type BoundRoute, bind } from './bind.ts';
import { imageSeen, oneImageSeen } from './image-seen.ts';
import { repositoriesSeen, seenBy } from './repositories-seen.ts';

export interface ImageDeps {
  readonly database: Database;
}

export function imageRoutes({ database }: ImageDeps): BoundRoute[] {
  return [
    bind(imageListRoute, ({ query, caller }) => listed(database, caller, query)),
    bind(imageShow, async ({ query, caller }) => {
      const { reference, platform } = query;
      const image =
        platform === undefined
          ? await imageSeen(database, caller, reference)
          : await oneImageSeen(database, caller, { reference, platform });
      return shown(database, image, await seenBy(database, caller));
    }),
  ];
}

/** `acme/shop 17`: after this manifest of this repository. */
function cursorOf(image: ListedImage | undefined): string | null {
  return image ? `${image.repository} ${image.manifestId}` : null;
}

async function listed(
  database: Database,
  caller: Caller,
  query: { account?: string; repository?: string; after?: string; limit?: number },
): Promise<RouteAnswer<typeof imageListRoute>> {
  const limit = query.limit ?? limits.apiPageDefault;
  const [afterName = '', afterId = '0'] = (query.after ?? '').split(' ');
  const repositories = (await repositoriesSeen(database, caller)).filter(
    ({ name, account }) =>
      name >= afterName &&
      (query.account === undefined || account === query.account) &&
      (query.repository === undefined || name === query.repository),
  );
  const images: ListedImage[] = [];
  for (const { name: repository } of repositories) {
    if (images.length > limit) break;
    const afterManifestId = repository === afterName ? Number(afterId) || 0 : 0;
    images.push(
      ...(await imageList(database, { repository, afterManifestId, limit: limit + 1 - images.length })),
    );
  }
  const page = images.slice(0, limit);
  return {
    images: await Promise.all(
      page.map(async ({ manifestId, tags, ...image }) => ({
        ...image,
        tags: [...tags],
        quarantine: await quarantineOf(database, image.repository, manifestId),
      })),
    ),
    next: images.length > limit ? cursorOf(page.at(-1)) : null,
  };
}

async function quarantineOf(database: Database, repository: string, manifestId: number) {
  const { name, account } = parseRepositoryName(repository);
  const refusal = await refusalOfManifest(database.read, { repository: name, account }, manifestId);
  return refusal ? { name: refusal.quarantine, reason: refusal.reason } : null;
}

type Seen = (repository: RepositoryOfAccount) => boolean;

async function baseOf(
  database: Database,
  inventory: ImageInventory | undefined,
  seen: Seen,
): Promise<RouteAnswer<typeof imageShow>['base']> {
  const base = await baseImage(database, inventory?.layers ?? [], seen);
  if (!base) return null;
  const { manifestId, ...named } = base;
  const tags = await tagsOf(database, base.repository, [manifestId]);
  return { ...named, tags: tags.get(manifestId) ?? [] };
}

async function shown(
  database: Database,
  image: RepositoryManifest,
  seen: Seen,
): Promise<RouteAnswer<typeof imageShow>> {
  const inventory = await imageInventory(database.read, image.id);
  const found = await findingsIn(database, { manifestId: image.id, repositoryId: image.repository.id });
  const tags = await tagsOf(database, image.repository.name, [image.id]);
  return {
    repository: image.repository.name,
    digest: image.digest,
    kind: image.kind,
    tags: tags.get(image.id) ?? [],
    withdrawn: image.withdrawnAt !== null,
    quarantine: await quarantineOf(database, image.repository.name, image.id),
    state: inventory?.state ?? null,
    reason: inventory?.reason ?? null,
    inventoryVersion: inventory?.inventoryVersion ?? 0,
    isRenewed: inventory?.isRenewed ?? false,
    os: inventory?.os ?? null,
    base: await baseOf(database, inventory, seen),
    config: inventory?.config ?? null,
    createdAt: inventory?.createdAt ?? null,
    inspectedAt: inventory?.inspectedAt ?? null,
    layers: (inventory?.layers ?? []).map((layer) => ({
      digest: layer.digest,
      mediaType: layer.mediaType,
      sizeBytes: layer.sizeBytes,
      state: layer.state,
      reason: layer.reason,
      diffId: layer.diffId,
      entries: layer.entries,
      packages: layer.packages,
      durationMs: layer.durationMs,
      inventoryVersion: layer.version,
    })),
    packages: { ...inventory?.packages },
    ...findingCounts(found.counted),
    excepted: found.excepted,
    advisoryGaps: [...(await advisoryGaps(database, image.id))],
    malware: await imageMalware(database.read, image.id),
    advisorySources: (await advisorySourceList(database.read)).length,
    children: image.kind === 'index' ? await childrenOf(database.read, image.id) : [],
  };
}
