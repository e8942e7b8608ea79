import { assertPrimary } from '../../actions/launch/primary.ts';
import { sbomRuleCreate, sbomRuleDelete, sbomRuleList } from '../../contract/sbom-rules.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { sbomRuleAdd, sbomRuleRemove, sbomRules } from '../../records/catalog/sbom-rules.ts';
import type { Database } from '../../records/db/database.ts';
import { accountOfGlob } from './account-of-glob.ts';
import { type BoundRoute, bind } from './bind.ts';
import { assertMayRule, maySeeRule } from './rule-rights.ts';
import { accountsSeen } from './scope.ts';

export function sbomRuleRoutes(deps: { readonly database: Database; readonly region: string }): BoundRoute[] {
  const { database, region } = deps;
  return [
    bind(sbomRuleCreate, async ({ body, caller }) => {
      await assertPrimary(database.read, region, 'rules of bills of materials');
      const { repositoryGlob, formats } = body;
      globMatcher(repositoryGlob); // refuses what is no glob
      // Over several accounts: the operator's.
      const account = accountOfGlob(repositoryGlob) ?? null;
      assertMayRule(caller, account);
      const rule = { account, repositoryGlob, formats, author: caller.principal };
      return database.transact((tx) => sbomRuleAdd(tx, rule));
    }),
    bind(sbomRuleList, async ({ caller }) => {
      await assertPrimary(database.read, region, 'rules of bills of materials');
      const accounts = accountsSeen(caller);
      const rules = await sbomRules(database.read);
      return { rules: rules.filter(({ account }) => maySeeRule(accounts, account)) };
    }),
    bind(sbomRuleDelete, async ({ params, caller }) => {
      await assertPrimary(database.read, region, 'rules of bills of materials');
      const rules = await sbomRules(database.read);
      const rule = rules.find(({ name }) => name === params.name);
      if (!rule || !maySeeRule(accountsSeen(caller), rule.account)) throw unknown(params.name);
      assertMayRule(caller, rule.account);
      const actor = caller.principal;
      const removed = await database.transact((tx) => sbomRuleRemove(tx, { name: rule.name, actor }));
      if (!removed) throw unknown(params.name);
      return removed;
    }),
  ];
}

function unknown(name: string): LazaretError {
  return new LazaretError('notFound', `there is no rule of bills of materials '${name}'`);
}
