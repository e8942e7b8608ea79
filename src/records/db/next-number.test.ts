import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { immutabilityRuleAdd } from '../catalog/immutability.ts';
import { retentionRuleAdd } from '../retention/rules.ts';

describeEngines('rules that are made at the same time', (world) => {
  it('get a name each', async () => {
    const database = await world.open();
    const rule = { account: null, repositoryGlob: '**', author: 'jo' };
    const terms = {
      tags: [],
      keepTags: [],
      keepLatest: 1,
      keepPushedMs: null,
      keepPulledMs: null,
      untaggedMs: null,
    };
    const made = await Promise.all(
      [1, 2, 3, 4].flatMap(() => [
        database.transact((tx) => immutabilityRuleAdd(tx, { ...rule, exceptTags: [] })),
        database.transact((tx) => retentionRuleAdd(tx, { ...rule, ...terms })),
      ]),
    );
    expect(new Set(made.map(({ name }) => name))).toEqual(
      new Set(['I-1', 'I-2', 'I-3', 'I-4', 'R-1', 'R-2', 'R-3', 'R-4']),
    );
  });
});
