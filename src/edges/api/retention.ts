import type { Static } from 'typebox';
import { assertPrimary } from '../../actions/launch/primary.ts';
import { type RetainDeps, retentionPlan } from '../../actions/retain/plan.ts';
import {
  retentionPlanShow,
  retentionRuleCreate,
  retentionRuleDelete,
  retentionRuleList,
} from '../../contract/retention.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { permits } from '../../records/access/permits.ts';
import {
  type RetentionTerms,
  retentionRuleAdd,
  retentionRuleNamed,
  retentionRuleRemove,
  retentionRules,
} from '../../records/retention/rules.ts';
import { accountOfGlob } from './account-of-glob.ts';
import { type BoundRoute, bind } from './bind.ts';
import { assertMayRule, maySeeRule } from './rule-rights.ts';
import { accountsSeen } from './scope.ts';

export function retentionRoutes(deps: RetainDeps): BoundRoute[] {
  const { database, region } = deps;
  return [
    bind(retentionRuleCreate, async ({ body, caller }) => {
      await assertPrimary(database.read, region, 'retention rules');
      const terms = termsOf(body);
      // Over several accounts: the operator's.
      const account = accountOfGlob(terms.repositoryGlob) ?? null;
      assertMayRule(caller, account);
      return database.transact((tx) => retentionRuleAdd(tx, { ...terms, account, author: caller.principal }));
    }),
    bind(retentionRuleList, async ({ caller }) => {
      await assertPrimary(database.read, region, 'retention rules');
      const accounts = accountsSeen(caller);
      const rules = await retentionRules(database.read);
      return { rules: rules.filter(({ account }) => maySeeRule(accounts, account)) };
    }),
    bind(retentionRuleDelete, async ({ params, caller }) => {
      await assertPrimary(database.read, region, 'retention rules');
      const rule = await retentionRuleNamed(database.read, params.name);
      if (!rule || !maySeeRule(accountsSeen(caller), rule.account)) throw unknown(params.name);
      assertMayRule(caller, rule.account);
      const actor = caller.principal;
      const removed = await database.transact((tx) => retentionRuleRemove(tx, { name: rule.name, actor }));
      if (!removed) throw unknown(params.name);
      return removed;
    }),
    bind(retentionPlanShow, async ({ query, caller }) => {
      await assertPrimary(database.read, region, 'retention rules');
      const matches = query.repositories === undefined ? () => true : globMatcher(query.repositories);
      return retentionPlan(
        deps,
        ({ name, account }) => matches(name) && permits(caller, 'delete', { account, repository: name }),
      );
    }),
  ];
}

/** @throws invalid */
function termsOf(body: Static<typeof retentionRuleCreate.body>): RetentionTerms {
  const terms: RetentionTerms = {
    repositoryGlob: body.repositoryGlob,
    tags: body.tags ?? [],
    keepTags: body.keepTags ?? [],
    keepLatest: body.keepLatest ?? null,
    keepPushedMs: durationOrNull(body.keepPushed, 'keepPushed'),
    keepPulledMs: durationOrNull(body.keepPulled, 'keepPulled'),
    untaggedMs: durationOrNull(body.untagged, 'untagged'),
  };
  for (const glob of [terms.repositoryGlob, ...terms.tags, ...terms.keepTags]) globMatcher(glob); // refuses what is no glob
  const { keepTags, keepLatest, keepPushedMs, keepPulledMs, untaggedMs } = terms;
  const saysNothing = [keepLatest, keepPushedMs, keepPulledMs, untaggedMs].every((term) => term === null);
  if (saysNothing && keepTags.length === 0)
    throw new LazaretError('invalid', 'a rule says what it keeps, or how long untagged images stay', {
      detail: { path: 'body' },
    });
  return terms;
}

function durationOrNull(text: string | undefined, name: string): number | null {
  return text === undefined ? null : parseDuration(text, `body.${name}`);
}

function unknown(name: string): LazaretError {
  return new LazaretError('notFound', `there is no retention rule '${name}'`);
}
