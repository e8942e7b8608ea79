import { sbomOf } from '../../actions/describe/sbom.ts';
import {
  imageFileList,
  imageLicenseList,
  imageMalwareList,
  imagePackageList,
  imageSbom,
  imageSecretList,
} from '../../contract/inventory-lists.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Caller } from '../../records/access/caller.ts';
import type { Database } from '../../records/db/database.ts';
import { fileList } from '../../records/inventory/file-list.ts';
import { imageState } from '../../records/inventory/image-read.ts';
import { type InventoryAsk, type InventoryPage, listedLayers } from '../../records/inventory/list.ts';
import { imageMalware, malwareList } from '../../records/inventory/malware-list.ts';
import { licenceList, packageList } from '../../records/inventory/package-list.ts';
import { secretList } from '../../records/inventory/secret-list.ts';
import { type BoundRoute, bind } from './bind.ts';
import { oneImageSeen } from './image-seen.ts';

export function inventoryListRoutes({ database }: { readonly database: Database }): BoundRoute[] {
  return [
    bind(imagePackageList, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) =>
        packageList(database, { ...ask, type: query.type, name: query.name }),
      ),
    ),
    bind(imageLicenseList, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) =>
        licenceList(database, { ...ask, type: query.type, name: query.name, licence: query.license }),
      ),
    ),
    bind(imageSecretList, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) => secretList(database, { ...ask, kind: query.kind })),
    ),
    bind(imageMalwareList, async ({ query, caller }) => {
      const { signature } = query;
      const page = await pageOf(database, { query, caller }, (ask) =>
        malwareList(database, { ...ask, signature }),
      );
      if (page.state !== 'done') return page;
      const { id } = await oneImageSeen(database, caller, query);
      const { state, reason } = (await imageMalware(database.read, id)) ?? notLookedFor;
      return { ...page, state, reason };
    }),
    bind(imageFileList, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) => fileList(database, ask)),
    ),
    bind(imageSbom, async ({ query, caller }) => {
      const { id, digest, repository } = await oneImageSeen(database, caller, query);
      const image = { id, digest, repository: repository.name };
      const { mediaType: contentType, bytes } = await sbomOf(database, image, query.format);
      return { contentType, sizeBytes: bytes.length, stream: once(bytes) };
    }),
  ];
}

const notLookedFor = { state: 'unknown', reason: 'malware was not looked for' } as const;

/** What every list is asked by. */
interface ListQuery {
  readonly reference: string;
  readonly platform?: string;
  readonly in: 'image' | 'layer';
  readonly layer?: string;
  readonly path?: string;
  readonly after?: string;
  readonly limit?: number;
}

/** A page of one of the lists, with how far the image was read, so that an empty page is not taken for an empty image. */
async function pageOf<T>(
  database: Database,
  { query, caller }: { readonly query: ListQuery; readonly caller: Caller },
  read: (ask: InventoryAsk) => Promise<InventoryPage<T>>,
) {
  const { id: manifestId, digest } = await oneImageSeen(database, caller, query);
  const { in: place, layer, path, after, limit = limits.apiPageDefault } = query;
  if (layer !== undefined) {
    const layers = await listedLayers(database.read, manifestId);
    if (!layers.some((one) => one.digest === layer))
      throw new LazaretError('notFound', `the image has no layer ${layer}`, {
        detail: { path: 'query.layer' },
      });
  }
  const howFar = await imageState(database.read, manifestId);
  const { items, next } = await read({ manifestId, place, layer, path, after, limit });
  return { digest, ...howFar, items, next };
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}
