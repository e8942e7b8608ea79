import { diffFiles, diffFindings, diffPackages, type FindingDiffAsk } from '../../actions/describe/diff.ts';
import { advisoryGaps } from '../../actions/describe/image-findings.ts';
import { imageDiffFiles, imageDiffFindings, imageDiffPackages } from '../../contract/image-diff.ts';
import { limits } from '../../lib/limits.ts';
import type { Caller } from '../../records/access/caller.ts';
import { advisorySourceList } from '../../records/advisories/sources.ts';
import type { Database } from '../../records/db/database.ts';
import { imageState } from '../../records/inventory/image-read.ts';
import type { InventoryPage } from '../../records/inventory/list.ts';
import { type BoundRoute, bind } from './bind.ts';
import { oneImageSeen } from './image-seen.ts';

export function imageDiffRoutes({ database }: { readonly database: Database }): BoundRoute[] {
  return [
    bind(imageDiffPackages, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) => diffPackages(database, ask)),
    ),
    bind(imageDiffFindings, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) => diffFindings(database, ask)),
    ),
    bind(imageDiffFiles, ({ query, caller }) =>
      pageOf(database, { query, caller }, (ask) => diffFiles(database, { ...ask, path: query.path })),
    ),
  ];
}

interface DiffQuery {
  readonly from: string;
  readonly to: string;
  readonly platform?: string;
  readonly after?: string;
  readonly limit?: number;
}

/** Of two images that the caller may see, in whatever repositories they are. */
async function pageOf<T>(
  database: Database,
  { query, caller }: { readonly query: DiffQuery; readonly caller: Caller },
  read: (ask: FindingDiffAsk) => Promise<InventoryPage<T>>,
) {
  const { platform, after, limit = limits.apiPageDefault } = query;
  const from = await oneImageSeen(database, caller, { reference: query.from, platform });
  const to = await oneImageSeen(database, caller, { reference: query.to, platform });
  const page = await read({
    from: from.id,
    to: to.id,
    fromRepository: from.repository.id,
    toRepository: to.repository.id,
    after,
    limit,
  });
  return {
    from: { digest: from.digest, ...(await imageState(database.read, from.id)) },
    to: { digest: to.digest, ...(await imageState(database.read, to.id)) },
    advisoryGaps: [
      ...new Set([...(await advisoryGaps(database, from.id)), ...(await advisoryGaps(database, to.id))]),
    ],
    advisorySources: (await advisorySourceList(database.read)).length,
    ...page,
  };
}
