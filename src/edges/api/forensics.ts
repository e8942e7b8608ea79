import { type ForensicDeps, forensicRead } from '../../actions/quarantine/forensics.ts';
import { forensicBlob } from '../../contract/forensics.ts';
import { LazaretError } from '../../lib/errors.ts';
import { parseDigest } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { isOperator, permits } from '../../records/access/permits.ts';
import { type BoundRoute, bind } from './bind.ts';

export function forensicRoutes(deps: ForensicDeps): BoundRoute[] {
  return [
    bind(forensicBlob, async ({ params, query, caller, signal }) => {
      const repository = parseRepositoryName(query.repository);
      const { account, name } = repository;
      if (!permits(caller, 'quarantine', { account, repository: name }))
        throw new LazaretError('denied', 'quarantined bytes take the role security of the account');
      const ask = {
        repository,
        digest: parseDigest(params.digest),
        isOperator: isOperator(caller),
        actor: caller.principal,
      };
      return { contentType: 'application/octet-stream', ...(await forensicRead(deps, ask, signal)) };
    }),
  ];
}
