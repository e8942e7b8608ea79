import { quarantineApplyPlan } from '../../actions/quarantine/apply.ts';
import { quarantineNamed } from '../../actions/quarantine/change.ts';
import { destroyApply, destroyPlan } from '../../actions/quarantine/destroy.ts';
import { quarantineLegalHold } from '../../actions/quarantine/hold.ts';
import {
  type NamedTargets,
  planNamed,
  type QuarantineDeps,
  quarantinePlan,
} from '../../actions/quarantine/plan.ts';
import { radiusNow } from '../../actions/quarantine/radius.ts';
import { quarantineRelease } from '../../actions/quarantine/release.ts';
import { retentionApply, retentionPlan } from '../../actions/quarantine/retention.ts';
import {
  planApply,
  planCreate,
  planShow,
  quarantineDestroy,
  quarantineHoldRoute,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineRetention,
  quarantineShow,
} from '../../contract/quarantines.ts';
import { parseCriteria } from '../../criteria/parse.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Caller } from '../../records/access/caller.ts';
import { acknowledgementList, quarantineList } from '../../records/marks/quarantines.ts';
import { type BoundRoute, bind } from './bind.ts';
import { scanSeen } from './scans.ts';
import { accountsSeen, mayDecide, quarantineAccount, scanScopeOf } from './scope.ts';

export function quarantineRoutes(deps: QuarantineDeps): BoundRoute[] {
  return [...planRoutes(deps), ...decisionRoutes(deps), ...retentionRoutes(deps)];
}

function planRoutes(deps: QuarantineDeps): BoundRoute[] {
  return [
    bind(planCreate, async ({ body, caller }) => {
      const account = quarantineAccount(caller);
      return quarantinePlan(deps, {
        question: await questionOf(deps, caller, body),
        ...(body.reach === undefined ? {} : { reach: body.reach }),
        ...(body.unknown === undefined ? {} : { unknown: body.unknown }),
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
      if (plan.effect === 'retention') return retentionApply(deps, ask);
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
        radius: await radiusNow(deps, quarantine),
        acknowledgements,
      };
    }),
    bind(quarantineReleaseRoute, async ({ params, body, caller }) => {
      const { name } = await quarantineOfCaller(deps, params.name, caller);
      return quarantineRelease(deps, { quarantine: name, reason: body.reason, author: caller.principal });
    }),
  ];
}

function retentionRoutes(deps: QuarantineDeps): BoundRoute[] {
  return [
    bind(quarantineDestroy, async ({ params, caller }) => {
      const { name } = await quarantineOfCaller(deps, params.name, caller);
      return destroyPlan(deps, { quarantine: name, author: caller.principal });
    }),
    bind(quarantineRetention, async ({ params, body, caller }) => {
      const { name } = await quarantineOfCaller(deps, params.name, caller);
      const retentionMs = parseDuration(body.retention, 'retention');
      return retentionPlan(deps, { quarantine: name, retentionMs, author: caller.principal });
    }),
    bind(quarantineHoldRoute, async ({ params, body, caller }) => {
      const { name } = await quarantineOfCaller(deps, params.name, caller);
      return quarantineLegalHold(deps, { quarantine: name, ...body, author: caller.principal });
    }),
  ];
}

/** @throws denied to who may quarantine nothing; notFound, also for one of an account that is not the caller's */
async function quarantineOfCaller(deps: QuarantineDeps, name: string, caller: Caller) {
  quarantineAccount(caller);
  const quarantine = await quarantineNamed(deps, name);
  if (mayDecide(caller, quarantine.scopeAccount)) return quarantine;
  if (!maySee(accountsSeen(caller), quarantine.scopeAccount)) throw unknown(name);
  throw new LazaretError('denied', `${name} was not set for an account of yours`);
}

interface QuestionBody {
  readonly targets?: NamedTargets;
  readonly scan?: string;
  readonly criteria?: unknown;
  readonly scope?: { readonly image?: string; readonly repositories?: string };
}

async function questionOf(deps: QuarantineDeps, caller: Caller, body: QuestionBody) {
  if (body.targets !== undefined) return { targets: body.targets };
  if (body.scan !== undefined) return { scan: (await scanSeen(deps.database, caller, body.scan)).name };
  if (body.criteria === undefined)
    throw new LazaretError('invalid', 'give a scan, criteria or targets', { detail: { path: 'body.scan' } });
  return {
    criteria: parseCriteria(body.criteria),
    scope: await scanScopeOf(deps.database, caller, body.scope ?? {}),
  };
}

/** @throws denied to who may quarantine nothing; notFound, also for one of an account that is not the caller's */
async function planSeen(deps: QuarantineDeps, name: string, caller: Caller) {
  quarantineAccount(caller);
  const plan = await planNamed(deps, name);
  if (mayDecide(caller, plan.account)) return plan;
  throw new LazaretError('notFound', `there is no plan '${name}'`);
}

/** The operator's bind everybody, and everybody may know of them. */
function maySee(accounts: readonly string[] | undefined, scopeAccount: string | null): boolean {
  return accounts === undefined || scopeAccount === null || accounts.includes(scopeAccount);
}

function unknown(name: string): LazaretError {
  return new LazaretError('notFound', `there is no quarantine '${name}'`);
}
