import { globMatcher } from '../../lib/globs.ts';
import type { Caller, Role, RoleBinding } from './caller.ts';

/** What a role lets its holder do. Who quarantines can't push, who pushes can't quarantine, unless given both. */
export type Action = 'pull' | 'push' | 'delete' | 'grant' | 'deploy' | 'quarantine' | 'admin';

const actionsOf: Readonly<Record<Role, readonly Action[]>> = {
  reader: ['pull'],
  writer: ['pull', 'push'],
  maintainer: ['pull', 'push', 'delete', 'grant', 'deploy'],
  security: ['pull', 'quarantine'],
  admin: ['pull', 'push', 'delete', 'grant', 'deploy', 'quarantine', 'admin'],
};

export interface Target {
  /** The account that owns what is asked for; null: of every account. */
  readonly account: string | null;
  /** null: not one repository but all of the account. */
  readonly repository: string | null;
}

export function permits(caller: Caller, action: Action, target: Target): boolean {
  if (caller.kind === 'region') return action === 'pull';
  if (caller.kind === 'instance' && action === 'pull' && caller.account === target.account) return true;
  return caller.bindings.some(
    (binding) => actionsOf[binding.role].includes(action) && covers(binding, target),
  );
}

/** An admin over everything: who runs Lazaret. */
export function isOperator(caller: Caller): boolean {
  return permits(caller, 'admin', { account: null, repository: null });
}

function covers(binding: RoleBinding, target: Target): boolean {
  if (binding.account !== null && binding.account !== target.account) return false;
  if (binding.repositoryGlob === null) return true;
  return target.repository !== null && globMatcher(binding.repositoryGlob)(target.repository);
}
