import { explain } from '../../actions/match/explain.ts';
import { imageExplain } from '../../contract/explain.ts';
import type { Database } from '../../records/db/database.ts';
import { type BoundRoute, bind } from './bind.ts';
import { oneImageSeen } from './image-seen.ts';

export function explainRoutes({ database }: { readonly database: Database }): BoundRoute[] {
  return [
    bind(imageExplain, async ({ query, caller }) => {
      const { id: manifestId, repository } = await oneImageSeen(database, caller, query);
      const { advisory, package: name, all } = query;
      const image = { manifestId, repositoryId: repository.id };
      return explain(database, { ...image, advisory, package: name, all });
    }),
  ];
}
