import { type ScanAnswer, type ScanDeps, scan } from '../../actions/scan/scan.ts';
import { criteriaSchemaShow, scanCreate, scanShow } from '../../contract/scans.ts';
import { parseCriteria } from '../../criteria/parse.ts';
import { criteriaSchema } from '../../criteria/schema.ts';
import { LazaretError } from '../../lib/errors.ts';
import { isOperator } from '../../records/access/permits.ts';
import { scanGet } from '../../records/scans/scans.ts';
import { type BoundRoute, bind } from './bind.ts';
import { scanScopeOf } from './scope.ts';

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
      const stored = await scanGet(database.read, params.name);
      if (!stored || (stored.requestedBy !== caller.principal && !isOperator(caller)))
        throw new LazaretError('notFound', `there is no scan '${params.name}'`);
      const answer: Omit<ScanAnswer, 'name'> = JSON.parse(stored.answer);
      return { ...answer, name: stored.name };
    }),
  ];
}
