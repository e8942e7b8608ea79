import { type ImportDeps, importAdvisories } from '../../actions/match/import-advisories.ts';
import { advisoryImport, advisoryStatus } from '../../contract/advisories.ts';
import { advisorySourceList } from '../../records/advisories/sources.ts';
import { type BoundRoute, bind } from './bind.ts';

export type AdvisoryDeps = ImportDeps;

export function advisoryRoutes(deps: AdvisoryDeps): BoundRoute[] {
  return [
    bind(advisoryImport, async ({ query, caller, stream }) => {
      const { source, kind } = query;
      const answer = await importAdvisories(deps, {
        source,
        kind: kind ?? 'auto',
        documents: stream,
        actor: caller.principal,
      });
      return { ...answer, broken: [...answer.broken] };
    }),
    bind(advisoryStatus, async () => ({ sources: await advisorySourceList(deps.database.read) })),
  ];
}
