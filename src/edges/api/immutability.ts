import { assertPrimary } from '../../actions/launch/primary.ts';
import {
  immutabilityRuleCreate,
  immutabilityRuleDelete,
  immutabilityRuleList,
} from '../../contract/immutability.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import {
  immutabilityRuleAdd,
  immutabilityRuleRemove,
  immutabilityRules,
} from '../../records/catalog/immutability.ts';
import type { Database } from '../../records/db/database.ts';
import { accountOfGlob } from './account-of-glob.ts';
import { type BoundRoute, bind } from './bind.ts';
import { assertMayRule, maySeeRule } from './rule-rights.ts';
import { accountsSeen } from './scope.ts';

export function immutabilityRoutes(deps: {
  readonly database: Database;
  readonly region: string;
}): BoundRoute[] {
  const { database, region } = deps;
  return [
    bind(immutabilityRuleCreate, async ({ body, caller }) => {
      await assertPrimary(database.read, region, 'immutability rules');
      const { repositoryGlob, exceptTags = [] } = body;
      for (const glob of [repositoryGlob, ...exceptTags]) globMatcher(glob); // refuses what is no glob
      // Over several accounts: the operator's.
      const account = accountOfGlob(repositoryGlob) ?? null;
      assertMayRule(caller, account);
      const rule = { account, repositoryGlob, exceptTags, author: caller.principal };
      return database.transact((tx) => immutabilityRuleAdd(tx, rule));
    }),
    bind(immutabilityRuleList, async ({ caller }) => {
      await assertPrimary(database.read, region, 'immutability rules');
      const accounts = accountsSeen(caller);
      const rules = await immutabilityRules(database.read);
      return { rules: rules.filter(({ account }) => maySeeRule(accounts, account)) };
    }),
    bind(immutabilityRuleDelete, async ({ params, caller }) => {
      await assertPrimary(database.read, region, 'immutability rules');
      const rules = await immutabilityRules(database.read);
      const rule = rules.find(({ name }) => name === params.name);
      if (!rule || !maySeeRule(accountsSeen(caller), rule.account)) throw unknown(params.name);
      assertMayRule(caller, rule.account);
      const actor = caller.principal;
      const removed = await database.transact((tx) => immutabilityRuleRemove(tx, { name: rule.name, actor }));
      if (!removed) throw unknown(params.name);
      return removed;
    }),
  ];
}

function unknown(name: string): LazaretError {
  return new LazaretError('notFound', `there is no immutability rule '${name}'`);
}
