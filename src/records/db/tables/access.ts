import type { Generated } from 'kysely';

export interface AccountTable {
  id: Generated<number>;
  name: string;
  created_at: number;
  anonymous_pull: Generated<number>;
  /** null: none. */
  quota_bytes: number | null;
  /** Without what waits in `account_usage`. */
  used_bytes: Generated<number>;
}

export interface PrincipalTable {
  id: Generated<number>;
  uid: string;
  /** What a client gives as user name: unique. */
  name: string;
  kind: 'user' | 'robot' | 'instance' | 'region';
  account_id: number | null;
  secret_hash: string;
  created_at: number;
  disabled_at: number | null;
  /** From then on its secret and its tokens are refused; null: never. */
  expires_at: number | null;
  /** Grows with each change after which tokens made before are refused: another secret, disabled, enabled. */
  security_version: Generated<number>;
}

/** A role over one account's repositories, a glob of them, or (both null) everything. */
export interface RoleBindingTable {
  id: Generated<number>;
  principal_id: number;
  role: 'reader' | 'writer' | 'maintainer' | 'security' | 'admin';
  account_id: number | null;
  repository_glob: string | null;
}

/** An owner allows another account to pull and run what a repository glob names. */
export interface GrantTable {
  id: Generated<number>;
  uid: string;
  owner: string;
  grantee: string;
  repository_glob: string;
  created_at: number;
  created_by: string;
  revoked_at: number | null;
  /** Log position at its origin: applied only if newer. */
  version: number;
}

export interface LedgerTable {
  minute: number;
  principal: string;
  repository: string;
  digest: string;
  verdict: 'served' | 'refused';
  count: number;
}
