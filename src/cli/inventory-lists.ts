import { type Client, call } from '../client/client.ts';
import type { imageShow } from '../contract/images.ts';
import {
  imageFileList,
  imageLicenseList,
  imageMalwareList,
  imagePackageList,
  imageSecretList,
} from '../contract/inventory-lists.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { limits } from '../lib/limits.ts';
import type { InventoryLists } from './inventory-tables.ts';

/** The contents of an image that a server has, all pages of each list. */
export function serverLists(
  client: Client,
  image: RouteAnswer<typeof imageShow>,
  { signal }: { readonly signal: AbortSignal },
): InventoryLists {
  const named = {
    reference: `${image.repository}@${image.digest}`,
    limit: limits.inventoryPageMax,
  };
  return {
    layers: image.layers.map(({ digest }) => digest),
    packages: (ask) =>
      all({ ...named, ...ask }, (query) => call(client, imagePackageList, { query }, { signal })),
    licences: (ask) =>
      all({ ...named, ...ask }, (query) => call(client, imageLicenseList, { query }, { signal })),
    files: (ask) => all({ ...named, ...ask }, (query) => call(client, imageFileList, { query }, { signal })),
    malware: (ask) =>
      all({ ...named, ...ask }, (query) => call(client, imageMalwareList, { query }, { signal })),
    secrets: (ask) =>
      all({ ...named, ...ask }, (query) => call(client, imageSecretList, { query }, { signal })),
  };
}

async function all<T, Q extends object>(
  query: Q,
  page: (query: Q & { readonly after?: string }) => Promise<{ items: readonly T[]; next: string | null }>,
): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const { items, next } = await page(after === undefined ? query : { ...query, after });
    for (const item of items) found.push(item);
    after = next;
  }
  return found;
}
