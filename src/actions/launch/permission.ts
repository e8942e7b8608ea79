import type { Deployment } from '../../contract/fleet.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import { permits } from '../../records/access/permits.ts';

/**
 * Who may do what with deployments: the owner of the image decides what runs, and restores it; owner and entity may start
 * and stop it. Each by a maintainer. The operator may do all.
 */

/**
 * The accounts whose objects the caller may see; undefined: all. A user sees those of their own account; a role over some
 * repositories, and what a robot belongs to, shows nothing of an account as a whole.
 */
export function accountsOf(caller: Caller): readonly string[] | undefined {
  if (permits(caller, 'pull', { account: null, repository: null })) return undefined;
  const whole = caller.bindings.filter(({ repositoryGlob }) => repositoryGlob === null);
  const own = caller.kind === 'robot' ? null : caller.account;
  return [...new Set([own, ...whole.map(({ account }) => account)])].filter((account) => account !== null);
}

/** @throws denied */
export function assertOwner(caller: Caller, deployment: Pick<Deployment, 'owner' | 'repository'>): void {
  if (ownerDeploys(caller, deployment)) return;
  throw new LazaretError('denied', `only a maintainer of ${deployment.owner} may do this`, {
    detail: { account: deployment.owner, role: 'maintainer' },
  });
}

/** @throws denied */
export function assertOwnerOrEntity(caller: Caller, deployment: Deployment): void {
  const { owner, account } = deployment;
  if (ownerDeploys(caller, deployment) || permits(caller, 'deploy', { account, repository: null })) return;
  throw new LazaretError('denied', `only a maintainer of ${owner} or ${account} may do this`, {
    detail: { accounts: [owner, account], role: 'maintainer' },
  });
}

function ownerDeploys(
  caller: Caller,
  { owner, repository }: Pick<Deployment, 'owner' | 'repository'>,
): boolean {
  return permits(caller, 'deploy', { account: owner, repository });
}
