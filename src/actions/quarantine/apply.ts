import { LazaretError } from '../../lib/errors.ts';
import { uuidv7 } from '../../lib/random.ts';
import type { Tx } from '../../records/db/database.ts';
import { nextNumber } from '../../records/db/next-number.ts';
import type { Exemption } from '../../records/marks/exemptions.ts';
import { type Plan, planMarkApplied } from '../../records/marks/plans.ts';
import { type Quarantine, quarantineApply } from '../../records/marks/quarantines.ts';
import { emitQuarantine, quarantineNamed } from './change.ts';
import { decideAsSet, decideByCriteria } from './decide.ts';
import { exemptionsSet } from './exempt.ts';
import { keepNote } from './note.ts';
import { planNamed, type QuarantineDeps } from './plan.ts';
import { type RadiusAsk, type Reach, radiusGrowth, reachedBy } from './radius.ts';

export interface ApplyAsk {
  readonly plan: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly author: string;
}

/**
 * Does exactly what the plan showed: from the commit on, every door of this region refuses. It is acknowledged only once
 * the decision is also a note in the blob store, so that no restore of the metadata lifts it.
 * @throws notFound, conflict (applied before), planStale (it would reach more than it showed)
 */
export async function quarantineApplyPlan(deps: QuarantineDeps, ask: ApplyAsk): Promise<Quarantine> {
  const plan = await planNamed(deps, ask.plan);
  if (plan.effect !== 'quarantine')
    throw new LazaretError('conflict', `${plan.name} is not a plan to quarantine`);
  if (plan.appliedAt !== null) throw new LazaretError('conflict', `${plan.name} was applied before`);
  const { request, account } = plan;
  const radius = await assertNotGrown(deps, plan, {
    ...request,
    account,
    decide: decideByCriteria(deps.database, { ...request, account }),
  });
  const quarantine = await deps.database.transact(async (tx) => {
    const made = await quarantineOf(tx, plan, ask);
    if (!(await planMarkApplied(tx, plan.name, made.uid)))
      throw new LazaretError('conflict', `${plan.name} was applied before`);
    // First what it spares, so that no follower sees it without them.
    await exemptionsSet(tx, made, exemptionsFor(made, radius));
    await quarantineApply(tx, made);
    emitQuarantine(tx, 'quarantine.set', made, ask.author);
    return made;
  });
  await keepNote(deps.blobs, quarantine);
  return quarantine;
}

/** @returns what it would reach now. @throws planStale */
async function assertNotGrown(deps: QuarantineDeps, plan: Plan, ask: RadiusAsk): Promise<Reach> {
  const radius = await reachedBy(deps, ask);
  const growth = radiusGrowth(ask.reach, plan.radius, radius);
  if (growth.length > 0)
    throw new LazaretError(
      'planStale',
      `${plan.name} would now reach more than it showed: ${growthText(growth)}`,
      {
        detail: { growth: growth.slice(0, 20) },
      },
    );
  return radius;
}

function growthText(growth: readonly string[]): string {
  const named = growth.slice(0, 3).join(', ');
  return growth.length > 3 ? `${named} and ${growth.length - 3} more` : named;
}

/** Of a plan about a quarantine that is set. @throws notFound, planStale */
export async function assertStillThat(deps: QuarantineDeps, plan: Plan): Promise<void> {
  const quarantine = await quarantineNamed(deps, plan.quarantineUid ?? plan.request.cause);
  const { marks, reach, scopeAccount: account } = quarantine;
  const decide = decideAsSet(deps.database, quarantine);
  await assertNotGrown(deps, plan, { marks, reach, account, decide });
}

function exemptionsFor({ uid, reach }: Quarantine, { images }: Reach): Exemption[] {
  if (reach === 'layer') return [];
  const spared = images.filter((image) => image.reachImage === 'spared').map((image) => image.digest);
  return [...new Set(spared)].map((manifestDigest) => ({
    quarantineUid: uid,
    manifestDigest,
    exempt: true,
  }));
}

async function quarantineOf(tx: Tx, plan: Plan, ask: ApplyAsk): Promise<Quarantine> {
  const { request } = plan;
  return {
    uid: uuidv7(tx.nowMs),
    name: `Q-${await nextNumber(tx, 'quarantines')}`,
    origin: tx.region,
    version: await tx.nextVersion(),
    scopeAccount: plan.account,
    reach: request.reach,
    unknown: request.unknown,
    cause: request.cause,
    criteria: request.criteria,
    reason: ask.reason,
    ticket: ask.ticket ?? null,
    author: ask.author,
    createdAt: tx.nowMs,
    changedAt: tx.nowMs,
    retainUntil: tx.nowMs + request.retentionMs,
    legalHold: false,
    legalHoldReason: null,
    destroyRequestedAt: null,
    releasedAt: null,
    releasedBy: null,
    releaseReason: null,
    marks: request.marks,
  };
}
