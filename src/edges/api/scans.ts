import { type ScanAnswer, type ScanDeps, scan } from '../../actions/scan/scan.ts';
import { criteriaSchemaShow, scanCreate, scanShow } from '../../contract/scans.ts';
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
 * A scan that the caller asked for, or whose images are all of accounts that the caller sees.
 * @throws notFound, also for one of somebody else's
 */
export async function scanSeen(database: Database, caller: Caller, name: string): Promise<StoredScan> {
  const stored = await scanGet(database.read, name);
  const accounts = accountsSeen(caller);
  if (stored && (accounts === undefined || stored.requestedBy === caller.principal)) return stored;
  if (stored && accounts && scopeWithin(stored.scope, accounts)) return stored;
  throw new LazaretError('notFound', `there is no scan '${name}'`);
}

function scopeWithin(scope: unknown, accounts: readonly string[]): boolean {
  const asked: unknown = isRecord(scope) ? scope.accounts : undefined;
  return Array.isArray(asked) && asked.every((account) => accounts.some((seen) => seen === account));
}

export function scanRoutes(deps: ScanDeps): BoundRoute[] {
  const { database } = deps;
  return [
    bind(criteriaSchemaShow, () => criteriaSchema),
    bind(scanCreate, async ({ body, caller }) => {
      const criteria = parseCriteria(body.criteria);
      const scope = await scanScopeOf(database, caller, body.scope);
      return scan(deps, { criteria, scope, requestedBy: caller.principal });
    }),
    bind(scanShow, async ({ params, caller }) => {
      const stored = await scanSeen(database, caller, params.name);
      const answer: Omit<ScanAnswer, 'name'> = JSON.parse(stored.answer);
      return { ...answer, name: stored.name };
    }),
  ];
}
