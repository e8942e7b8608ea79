import { assertPrimary } from '../../actions/launch/primary.ts';
import { exportBundle } from '../../actions/match/export-bundle.ts';
import { type ImportDeps, importFeed } from '../../actions/match/import-feed.ts';
import { advisoryExport, advisoryImport, advisoryShow, advisoryStatus } from '../../contract/advisories.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type Exploits, exploitsOf } from '../../records/advisories/exploits.ts';
import { advisoriesShown, type ShownAdvisory } from '../../records/advisories/shown.ts';
import { feedStatusList, severityOrigins } from '../../records/advisories/status.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface AdvisoryDeps extends ImportDeps {
  readonly region: string;
}

export function advisoryRoutes(deps: AdvisoryDeps): BoundRoute[] {
  const { database, region } = deps;
  return [
    bind(advisoryImport, async ({ query, caller, stream }) => {
      await assertPrimary(database.read, region, 'advisories');
      const { source, file } = query;
      const answer = await importFeed(deps, { source, file, documents: stream, actor: caller.principal });
      return { ...answer, broken: [...answer.broken] };
    }),
    bind(advisoryStatus, async ({ query }) => ({
      sources: await feedStatusList(database.read),
      severities: query.severities ? await severityOrigins(database) : null,
    })),
    bind(advisoryExport, () => ({ contentType: 'application/zstd', stream: exportBundle(deps) })),
    bind(advisoryShow, async ({ query: { id } }) => {
      const shown = await advisoriesShown(database.read, id, limits.apiPageMax);
      if (shown.length === 0) throw new LazaretError('notFound', `no advisory is called '${id}'`);
      const exploits = [];
      for (const cve of new Set(shown.map(({ flaw }) => flaw)))
        exploits.push(exploitsShown(cve, await exploitsOf(database.read, cve)));
      return { advisories: shown.map(advisoryShown), exploits: exploits.flat() };
    }),
  ];
}

function advisoryShown({ body, broken, brokenAt, ...advisory }: ShownAdvisory) {
  return {
    ...advisory,
    unreadable: broken === null ? null : { place: brokenAt, reason: broken },
    document: body === '' ? null : JSON.parse(body),
  };
}

function exploitsShown(cve: string, { exploited, score }: Exploits) {
  if (exploited === undefined && score === undefined) return [];
  return [
    {
      cve,
      exploited: exploited
        ? {
            addedOn: exploited.addedOn,
            dueOn: exploited.dueOn,
            ransomware: exploited.ransomware,
            name: exploited.name,
          }
        : null,
      epss: score ? { score: score.score, percentile: score.percentile } : null,
    },
  ];
}
