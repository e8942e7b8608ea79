import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { signingKeyList } from '../../records/access/signing-keys.ts';
import { currentKey, signingKeyRotated, signingKeyTask } from './signing-keys.ts';
import { tokenIssued, tokenVerified } from './tokens.ts';

const claims = { principal: 'jo', uid: 'u', securityVersion: 1, scopes: [] } as const;
const signal = new AbortController().signal;

describeEngines('signing keys', (world) => {
  async function open() {
    const clock = new ManualClock();
    const database = await world.open({ clock });
    const deps = { database, clock };
    return {
      ...deps,
      deps,
      token: (use: 'access' | 'identity') => tokenIssued(deps, { ...claims, use }, 'test'),
      verified: (token: string) => tokenVerified(deps, token, 'test'),
      kids: async () => (await signingKeyList(database.read)).map(({ kid }) => kid),
    };
  }

  it('are made once, also when two servers look at the same time', async () => {
    const { deps, kids } = await open();
    const made = await Promise.all([currentKey(deps), currentKey(deps), currentKey(deps)]);
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(1);
    expect(await kids()).toHaveLength(1);
  });

  it('change after a month; what the old one signed is good until its end', async () => {
    const { clock, deps, token, verified, kids } = await open();
    const old = await token('identity');
    clock.advance(limits.signingKeyMs);
    await signingKeyTask(deps).run(signal);
    const fresh = await token('access');
    expect(await kids()).toHaveLength(2);
    expect(await verified(fresh)).toMatchObject({ principal: 'jo' });
    expect(await verified(old)).toMatchObject({ use: 'identity' });
  });

  it('are retired, and their private half forgotten, when nothing that they signed is left', async () => {
    const { clock, database, deps, token } = await open();
    await token('identity');
    clock.advance(limits.signingKeyMs + limits.identityTokenMs + 1);
    expect(await signingKeyTask(deps).run(signal)).toBe('worked');
    const rows = await database.read.selectFrom('signing_keys').selectAll().orderBy('created_at').execute();
    expect(rows).toMatchObject([{ private_jwk: '', retired_at: clock.wallMs() }, { retired_at: null }]);
    expect(await signingKeyTask(deps).run(signal)).toBe('idle');
  });

  it('change at a command; older tokens stay good unless they are revoked', async () => {
    const { deps, token, verified, kids } = await open();
    const first = await token('access');
    const rotated = await signingKeyRotated(deps, false);
    expect(rotated.retired).toBe(0);
    expect((await kids())[0]).toBe(rotated.kid);
    const second = await token('access');
    expect(await verified(first)).toMatchObject({ principal: 'jo' });
    expect(await signingKeyRotated(deps, true)).toMatchObject({ retired: 2 });
    for (const revoked of [first, second])
      await expect(verified(revoked)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await verified(await token('access'))).toMatchObject({ principal: 'jo' });
  });
});
