import type { Field } from '../../lib/fields.ts';
import type { Grant } from '../../records/access/grants.ts';

/** @throws invalid */
export function grantOfEvent(data: Field): Grant {
  return {
    uid: data.member('uid').string(),
    owner: data.member('owner').string(),
    grantee: data.member('grantee').string(),
    repositoryGlob: data.member('repositoryGlob').string(),
    createdAt: data.member('createdAt').count(),
    createdBy: data.member('createdBy').string(),
    revokedAt: data.optionalOrNull('revokedAt')?.count() ?? null,
    version: data.member('version').count(),
  };
}
