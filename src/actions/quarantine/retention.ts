import { LazaretError } from '../../lib/errors.ts';
import { logHead } from '../../records/log/log.ts';
import { type Plan, planKeep, planMarkApplied } from '../../records/marks/plans.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';
import { assertStillThat } from './apply.ts';
import { ownQuarantine, quarantineChange } from './change.ts';
import { planNamed, type QuarantineDeps } from './plan.ts';
import { radiusNow } from './radius.ts';

export interface RetentionAsk {
  readonly quarantine: string;
  /** From now on. */
  readonly retentionMs: number;
  readonly author: string;
}

/**
 * What keeping the bytes longer, or shorter, would be about. The plan fixes the moment, so that applying it later does
 * what it showed.
 * @throws notFound, invalid, conflict (released, destroyed, or set in another region)
 */
export async function retentionPlan(deps: QuarantineDeps, ask: RetentionAsk): Promise<Plan> {
  const quarantine = await ownQuarantine(deps, ask.quarantine);
  assertNotDestroyed(quarantine);
  if (ask.retentionMs <= 0)
    throw new LazaretError('invalid', `to end the retention now, destroy ${quarantine.name}`, {
      detail: { path: 'retention' },
    });
  const { name: cause, criteria, reach, unknown, marks, scopeAccount: account } = quarantine;
  const retainUntil = deps.clock.wallMs() + ask.retentionMs;
  const plan = {
    effect: 'retention' as const,
    request: { cause, criteria, reach, unknown, retentionMs: ask.retentionMs, retainUntil, marks },
    radius: await radiusNow(deps, quarantine),
    position: await logHead(deps.database.read),
    account,
    author: ask.author,
    quarantineUid: quarantine.uid,
  };
  const name = await deps.database.transact((tx) => planKeep(tx, plan));
  return planNamed(deps, name);
}

/** @throws notFound, conflict (applied before, too late, destroyed meanwhile), planStale */
export async function retentionApply(
  deps: QuarantineDeps,
  ask: { plan: string; author: string },
): Promise<Quarantine> {
  const plan = await planNamed(deps, ask.plan);
  const { quarantineUid: quarantine, request } = plan;
  const { retainUntil } = request;
  if (plan.effect !== 'retention' || quarantine === null || retainUntil === undefined)
    throw new LazaretError('conflict', `${plan.name} is not a plan to change a retention`);
  await assertStillThat(deps, plan);
  const change = { quarantine, actor: ask.author, type: 'quarantine.changed' } as const;
  return quarantineChange(deps, change, async (before, tx) => {
    assertNotDestroyed(before);
    if (retainUntil <= tx.nowMs)
      throw new LazaretError(
        'conflict',
        `the retention of ${plan.name} would have ended by now: make a fresh plan`,
      );
    if (!(await planMarkApplied(tx, plan.name, before.uid)))
      throw new LazaretError('conflict', `${plan.name} was applied before`);
    return { retainUntil };
  });
}

function assertNotDestroyed({ name, destroyRequestedAt }: Quarantine): void {
  if (destroyRequestedAt !== null) throw new LazaretError('conflict', `${name} was destroyed before`);
}
