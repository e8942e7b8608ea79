/**
 * Who asks, after authentication. `account` is the account that the principal belongs to (null: the operator's own
 * principals). Every door and route decides from this and from rows read in that request, never from the token alone.
 */
export interface Caller {
  readonly principal: string;
  readonly kind: 'user' | 'robot' | 'instance' | 'region' | 'anonymous';
  readonly account: string | null;
  readonly bindings: readonly RoleBinding[];
}

export type Role = 'reader' | 'writer' | 'maintainer' | 'security' | 'admin';

/** Over one account's repositories, a glob of them, or (both null) everything. */
export interface RoleBinding {
  readonly role: Role;
  readonly account: string | null;
  readonly repositoryGlob: string | null;
}

export const anonymous: Caller = { principal: 'anonymous', kind: 'anonymous', account: null, bindings: [] };
