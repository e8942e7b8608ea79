import { limits } from '../../lib/limits.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { type Referrer, referrerRows } from '../../records/catalog/referrers.ts';
import { repositoryGet, repositoryNames } from '../../records/catalog/repositories.ts';
import { tagNames } from '../../records/catalog/tags.ts';
import type { Database } from '../../records/db/database.ts';

/** Lists show names, not content, so no quarantine shortens them. Each comes in pages, sorted by code unit. */
export interface Page<T> {
  readonly items: readonly T[];
  /** To ask with for the next page; undefined after the last. */
  readonly last: string | undefined;
}

interface PageAsk {
  /** At most so many, and at most `limits.apiPageMax`. */
  readonly n?: number | undefined;
  /** After this one, which need not exist. */
  readonly last?: string | undefined;
}

type Deps = { readonly database: Database };

/** distribution-spec, "Listing Tags". @throws nameUnknown */
export async function tagList(
  { database }: Deps,
  ask: PageAsk & { repository: RepositoryName },
): Promise<Page<string>> {
  const repository = await repositoryGet(database.read, ask.repository.name);
  const size = pageSize(ask);
  const query = { repositoryId: repository.id, after: ask.last ?? '', limit: size + 1 };
  return pageOf(await tagNames(database, query), size, (name) => name);
}

/**
 * distribution-spec, "Listing Referrers": what names `digest` as its subject, whether or not that is here or may be
 * pulled. An unknown repository has none. A page also ends, after its first, where it would be larger than a manifest
 * may be.
 */
export async function referrerList(
  { database }: Deps,
  ask: PageAsk & { repository: RepositoryName; digest: Digest; artifactType?: string | undefined },
): Promise<Page<Referrer>> {
  const size = pageSize(ask);
  const found: Referrer[] = [];
  let bytes = 0;
  let after = ask.last ?? '';
  while (found.length <= size) {
    const limit = Math.min(size + 1 - found.length, referrersAtOnce);
    const { digest: subject, artifactType } = ask;
    const asked = { repository: ask.repository.name, subject, artifactType, after, limit };
    const rows = await referrerRows(database, asked);
    for (const row of rows) {
      bytes += JSON.stringify(row).length;
      if (found.length > 0 && bytes > limits.manifestBytesMax)
        return { items: found.slice(0, size), last: after };
      found.push(row);
      after = row.digest;
    }
    if (rows.length < limit) break;
  }
  return pageOf(found, size, (referrer) => referrer.digest);
}

/** Each may have annotations as large as a manifest. */
const referrersAtOnce = 20;

/** Repositories that `visible` lets the caller see. */
export async function catalogList(
  { database }: Deps,
  ask: PageAsk & { visible: (name: string) => boolean },
): Promise<Page<string>> {
  const size = pageSize(ask);
  const found: string[] = [];
  let after = ask.last ?? '';
  for (;;) {
    const names = await repositoryNames(database, { after, limit: limits.apiPageMax });
    found.push(...names.filter(ask.visible));
    const end = names.at(-1);
    if (found.length > size || end === undefined)
      return pageOf(found.slice(0, size + 1), size, (name) => name);
    after = end;
  }
}

function pageSize({ n }: PageAsk): number {
  return Math.min(n ?? limits.apiPageMax, limits.apiPageMax);
}

/** `rows` has one more than a page where another page follows. */
function pageOf<T>(rows: readonly T[], size: number, nameOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, size);
  const end = items.at(-1);
  return { items, last: rows.length > size && end !== undefined ? nameOf(end) : undefined };
}
