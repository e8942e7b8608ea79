import { describe, expect, it } from 'vitest';
import type { Caller, RoleBinding } from './caller.ts';
import { type Action, isOperator, permits } from './permits.ts';

const shop = { account: 'acme', repository: 'acme/shop' };
const actions: readonly Action[] = ['pull', 'push', 'delete', 'grant', 'deploy', 'quarantine', 'admin'];

function caller(
  bindings: readonly RoleBinding[],
  kind: Caller['kind'] = 'user',
  account: string | null = null,
): Caller {
  return { principal: 'jo', kind, account, bindings };
}

function allowed(who: Caller, target = shop): string {
  return actions.filter((action) => permits(who, action, target)).join(' ');
}

describe('a role', () => {
  it.each([
    ['reader', 'pull'],
    ['writer', 'pull push'],
    ['maintainer', 'pull push delete grant deploy'],
    ['security', 'pull quarantine'],
    ['admin', actions.join(' ')],
  ] as const)('%s permits %s', (role, expected) => {
    expect(allowed(caller([{ role, account: 'acme', repositoryGlob: null }]))).toBe(expected);
  });

  it('reaches only the account that it is bound to', () => {
    const who = caller([{ role: 'writer', account: 'acme', repositoryGlob: null }]);
    expect(allowed(who, { account: 'globex', repository: 'globex/shop' })).toBe('');
  });

  it('reaches only the repositories that its glob names, and not the account as a whole', () => {
    const who = caller([{ role: 'writer', account: null, repositoryGlob: 'acme/sh*' }]);
    expect(allowed(who)).toBe('pull push');
    expect(allowed(who, { account: 'acme', repository: 'acme/pay' })).toBe('');
    expect(permits(who, 'pull', { account: 'acme', repository: null })).toBe(false);
  });

  it('makes an operator only when it is admin over everything', () => {
    expect(isOperator(caller([{ role: 'admin', account: null, repositoryGlob: null }]))).toBe(true);
    expect(isOperator(caller([{ role: 'admin', account: 'acme', repositoryGlob: null }]))).toBe(false);
    expect(isOperator(caller([{ role: 'security', account: null, repositoryGlob: null }]))).toBe(false);
  });

  it('is not needed by a region to pull, or by an instance to pull what its account owns', () => {
    expect(allowed(caller([], 'region'))).toBe('pull');
    expect(allowed(caller([], 'instance', 'acme'))).toBe('pull');
    expect(allowed(caller([], 'instance', 'globex'))).toBe('');
    expect(allowed(caller([], 'user', 'acme'))).toBe('');
  });
});
