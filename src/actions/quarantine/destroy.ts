import { LazaretError } from '../../lib/errors.ts';
import { logHead } from '../../records/log/log.ts';
import { type Plan, planKeep, planMarkApplied } from '../../records/marks/plans.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';
import { assertStillThat } from './apply.ts';
import { ownQuarantine, quarantineChange } from './change.ts';
import { planNamed, type QuarantineDeps } from './plan.ts';
import { radiusNow } from './radius.ts';

/**
 * What ending the retention now would take: the marked layers' bytes, in every region. It can't be undone, so it is
 * planned like everything that enforces.
 * @throws notFound, conflict (released, or under legal hold)
 */
export async function destroyPlan(
  deps: QuarantineDeps,
  ask: { quarantine: string; author: string },
): Promise<Plan> {
  const quarantine = await ownQuarantine(deps, ask.quarantine);
  assertNotHeld(quarantine);
  const plan = {
    effect: 'destroy' as const,
    request: {
      cause: quarantine.name,
      criteria: quarantine.criteria,
      reach: quarantine.reach,
      unknown: quarantine.unknown,
      retentionMs: 0,
      marks: quarantine.marks,
    },
    radius: await radiusNow(deps, quarantine),
    position: await logHead(deps.database.read),
    account: quarantine.scopeAccount,
    author: ask.author,
    quarantineUid: quarantine.uid,
  };
  const name = await deps.database.transact((tx) => planKeep(tx, plan));
  return planNamed(deps, name);
}

/** Ends the retention; the collector of each region does the rest, asynchronously. @throws notFound, conflict, planStale */
export async function destroyApply(
  deps: QuarantineDeps,
  ask: { plan: string; author: string },
): Promise<Quarantine> {
  const plan = await planNamed(deps, ask.plan);
  if (plan.effect !== 'destroy' || plan.quarantineUid === null)
    throw new LazaretError('conflict', `${plan.name} is not a plan to destroy`);
  await assertStillThat(deps, plan);
  const change = { quarantine: plan.quarantineUid, actor: ask.author, type: 'quarantine.destroyed' } as const;
  return quarantineChange(deps, change, async (before, tx) => {
    assertNotHeld(before);
    if (!(await planMarkApplied(tx, plan.name, before.uid)))
      throw new LazaretError('conflict', `${plan.name} was applied before`);
    return { retainUntil: tx.nowMs, destroyRequestedAt: tx.nowMs };
  });
}

function assertNotHeld({ name, legalHold }: Quarantine): void {
  if (legalHold) throw new LazaretError('conflict', `${name} is under legal hold`);
}
