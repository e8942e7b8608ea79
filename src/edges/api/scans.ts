import type { Static } from 'typebox';
import { scanDiff } from '../../actions/scan/compare.ts';
import { scanAgain, scanAll, scanPage } from '../../actions/scan/kept.ts';
import { scanLive as foundLive } from '../../actions/scan/live.ts';
import { type ScanDeps, type ScanRequest, scan } from '../../actions/scan/scan.ts';
import {
  criteriaSchemaShow,
  scanCompare,
  scanCreate,
  scanImages,
  scanLive,
  scanShow,
  scanStream,
} from '../../contract/scans.ts';
import { parseCriteria } from '../../criteria/parse.ts';
import { criteriaSchema } from '../../criteria/schema.ts';
import { LazaretError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/fields.ts';
import type { Caller } from '../../records/access/caller.ts';
import type { Database } from '../../records/db/database.ts';
import { type StoredScan, scanGet } from '../../records/scans/scans.ts';
import { type BoundRoute, bind } from './bind.ts';
import { accountsSeen, scanScopeOf } from './scope.ts';

/**
 * A scan whose images are all of accounts that the caller sees now, since a page of it shows what is now.
 * @throws notFound, also for one of somebody else's
 */
export async function scanSeen(database: Database, caller: Caller, name: string): Promise<StoredScan> {
  const stored = await scanGet(database.read, name);
  const accounts = accountsSeen(caller);
  if (stored && (accounts === undefined || scopeWithin(stored.scope, accounts))) return stored;
  throw new LazaretError('notFound', `there is no scan '${name}'`);
}

function scopeWithin(scope: unknown, accounts: readonly string[]): boolean {
  const asked: unknown = isRecord(scope) ? scope.accounts : undefined;
  return Array.isArray(asked) && asked.every((account) => accounts.some((seen) => seen === account));
}

export function scanRoutes(deps: ScanDeps): BoundRoute[] {
  const { database } = deps;
  const requestOf = async (body: Static<typeof scanCreate.body>, caller: Caller): Promise<ScanRequest> => ({
    criteria: parseCriteria(body.criteria),
    scope: await scanScopeOf(database, caller, body.scope),
    requestedBy: caller.principal,
    order: body.order,
    pageSize: body.limit,
  });
  return [
    bind(criteriaSchemaShow, () => criteriaSchema),
    bind(scanCreate, async ({ body, caller }) => scan(deps, await requestOf(body, caller))),
    bind(scanLive, async ({ body, caller }) => foundLive(deps, await requestOf(body, caller))),
    bind(scanShow, async ({ params, caller }) =>
      scanAgain(database, await scanSeen(database, caller, params.name)),
    ),
    bind(scanImages, async ({ params, query, caller }) => {
      const { after: cursor, limit: pageSize, order, verdict } = query;
      return scanPage(database, await scanSeen(database, caller, params.name), {
        cursor,
        pageSize,
        order,
        verdict,
      });
    }),
    bind(scanStream, async ({ params, caller }) =>
      scanAll(database, await scanSeen(database, caller, params.name)),
    ),
    bind(scanCompare, async ({ params, query, caller }) =>
      scanDiff(
        database,
        await scanSeen(database, caller, query.since),
        await scanSeen(database, caller, params.name),
      ),
    ),
  ];
}
