import { quarantineApplyPlan } from '../../actions/quarantine/apply.ts';
import { destroyApply, destroyPlan } from '../../actions/quarantine/destroy.ts';
import { planNamed, type QuarantineDeps, quarantinePlan } from '../../actions/quarantine/plan.ts';
import { radiusOf } from '../../actions/quarantine/radius.ts';
import { quarantineNamed, quarantineRelease } from '../../actions/quarantine/release.ts';
import {
  planApply,
  planCreate,
  planShow,
  quarantineDestroy,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineShow,
} from '../../contract/quarantines.ts';
import { parseCriteria } from '../../criteria/parse.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Caller } from '../../records/access/caller.ts';
import { acknowledgementList, quarantineList } from '../../records/marks/quarantines.ts';
import { type BoundRoute, bind } from './bind.ts';
import { accountsSeen, assertMayQuarantine, quarantineAccount, scanScopeOf } from './scope.ts';

export function quarantineRoutes(deps: QuarantineDeps): BoundRoute[] {
  return [...planRoutes(deps), ...decisionRoutes(deps)];
}

function planRoutes(deps: QuarantineDeps): BoundRoute[] {
  return [
    bind(planCreate, async ({ body, caller }) => {
      const account = quarantineAccount(caller);
      return quarantinePlan(deps, {
        question: await questionOf(deps, caller, body),
        reach: body.reach,
        ...(body.retention === undefined ? {} : { retentionMs: parseDuration(body.retention, 'retention') }),
        account,
        author: caller.principal,
      });
    }),
    bind(planShow, async ({ params, caller }) => planSeen(deps, params.name, caller)),
    bind(planApply, async ({ params, body, caller }) => {
      const plan = await planSeen(deps, params.name, caller);
      const ask = { plan: plan.name, author: caller.principal };
      if (plan.effect === 'destroy') return destroyApply(deps, ask);
      const ticket = body.ticket === undefined ? {} : { ticket: body.ticket };
      return quarantineApplyPlan(deps, { ...ask, reason: body.reason, ...ticket });
    }),
  ];
}

function decisionRoutes(deps: QuarantineDeps): BoundRoute[] {
  const { database } = deps;
  return [
    bind(quarantineListRoute, async ({ query, caller }) => {
      const accounts = accountsSeen(caller);
      const all = await quarantineList(database.read, {
        limit: limits.apiPageMax,
        activeOnly: query.all !== true,
      });
      const seen = all.filter((one) => maySee(accounts, one.scopeAccount));
      return { quarantines: seen };
    }),
    bind(quarantineShow, async ({ params, caller }) => {
      const quarantine = await quarantineNamed(deps, params.name);
      if (!maySee(accountsSeen(caller), quarantine.scopeAccount)) throw unknown(params.name);
      const acknowledgements = await acknowledgementList(database.read, quarantine.uid);
      return {
        quarantine,
        radius: await radiusOf(deps, quarantine.marks, quarantine.scopeAccount),
        acknowledgements,
      };
    }),
    bind(quarantineReleaseRoute, async ({ params, body, caller }) => {
      const { name, scopeAccount } = await quarantineNamed(deps, params.name);
      assertMayQuarantine(caller, scopeAccount);
      return quarantineRelease(deps, { quarantine: name, reason: body.reason, author: caller.principal });
    }),
    bind(quarantineDestroy, async ({ params, caller }) => {
      const { name, scopeAccount } = await quarantineNamed(deps, params.name);
      assertMayQuarantine(caller, scopeAccount);
      return destroyPlan(deps, { quarantine: name, author: caller.principal });
    }),
  ];
}

interface QuestionBody {
  readonly scan?: string;
  readonly criteria?: unknown;
  readonly scope?: { readonly image?: string; readonly repositories?: string };
}

async function questionOf(deps: QuarantineDeps, caller: Caller, body: QuestionBody) {
  if (body.scan !== undefined) return { scan: body.scan };
  if (body.criteria === undefined)
    throw new LazaretError('invalid', 'give a scan, or criteria', { detail: { path: 'body.scan' } });
  return {
    criteria: parseCriteria(body.criteria),
    scope: await scanScopeOf(deps.database, caller, body.scope ?? {}),
  };
}

async function planSeen(deps: QuarantineDeps, name: string, caller: Caller) {
  const plan = await planNamed(deps, name);
  assertMayQuarantine(caller, plan.account);
  return plan;
}

/** The operator's bind everybody, and everybody may know of them. */
function maySee(accounts: readonly string[] | undefined, scopeAccount: string | null): boolean {
  return accounts === undefined || scopeAccount === null || accounts.includes(scopeAccount);
}

function unknown(name: string): LazaretError {
  return new LazaretError('notFound', `there is no quarantine '${name}'`);
}
