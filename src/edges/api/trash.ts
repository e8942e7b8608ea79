import { trashRestore } from '../../actions/retain/restore.ts';
import { trashListRoute, trashRestoreRoute } from '../../contract/trash.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { parseReference, parseRepositoryName } from '../../oci/reference.ts';
import { permits } from '../../records/access/permits.ts';
import { trashList } from '../../records/catalog/trash.ts';
import type { Database } from '../../records/db/database.ts';
import { type BoundRoute, bind } from './bind.ts';
import { repositoriesSeen } from './repositories-seen.ts';

export interface TrashDeps {
  readonly database: Database;
  readonly graceMs: number;
}

export function trashRoutes({ database, graceMs }: TrashDeps): BoundRoute[] {
  return [
    bind(trashListRoute, async ({ query, caller }) => {
      const asked = query.repository === undefined ? undefined : parseRepositoryName(query.repository).name;
      const seen = (await repositoriesSeen(database, caller))
        .map(({ name }) => name)
        .filter((name) => asked === undefined || name === asked);
      const items = await trashList(database.read, { repositories: seen, limit: limits.apiPageMax });
      return { items: items.map((item) => ({ ...item, until: item.deletedAt + graceMs })) };
    }),
    bind(trashRestoreRoute, ({ body, caller }) => {
      const { repository, tag, digest } = parseReference(body.reference);
      const target = { account: repository.account, repository: repository.name };
      if (!permits(caller, 'delete', target))
        throw new LazaretError('denied', `only a maintainer of ${repository.account} may do this`, {
          detail: { account: repository.account, role: 'maintainer' },
        });
      const reference = digest === undefined ? tag && { tag } : { digest };
      if (!reference)
        throw new LazaretError('invalid', 'name a tag or a digest: acme/shop:1 or acme/shop@sha256:…', {
          detail: { path: 'body.reference' },
        });
      return trashRestore({ database }, { repository: repository.name, reference, actor: caller.principal });
    }),
  ];
}
