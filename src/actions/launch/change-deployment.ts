import type { Deployment } from '../../contract/fleet.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Caller } from '../../records/access/caller.ts';
import type { Tx } from '../../records/db/database.ts';
import { deploymentList, deploymentSet } from '../../records/fleet/deployments.ts';
import { assertNotRevoked, revocationsLift, revocationsOpen } from '../../records/fleet/revocations.ts';
import { assertGranted, assertImageOpen } from './launch-check.ts';
import type { LaunchDeps } from './launch-deps.ts';
import { accountsOf, assertOwner, assertOwnerOrEntity } from './permission.ts';
import { assertPrimary } from './primary.ts';

/** Names are unique for one owner; without `owner` the name must be unique among what the caller sees. */
export interface DeploymentName {
  readonly name: string;
  readonly owner?: string | undefined;
}

/**
 * By owner or entity. What is running is left as it is.
 * @throws denied while a revocation stands, with its name and reason in `detail`; grantMissing, quarantined, notFound,
 *   readOnlyReplica
 */
export function deploymentStart(
  deps: LaunchDeps,
  caller: Caller,
  named: DeploymentName,
): Promise<Deployment> {
  return change(deps, { caller, named }, async (tx, deployment) => {
    assertOwnerOrEntity(caller, deployment);
    if (deployment.desired === 'running') return deployment;
    assertNotRevoked((await revocationsOpen(tx.db, deployment.uid))[0]);
    await assertGranted(tx.db, deployment);
    await assertImageOpen(tx.db, deployment);
    return deploymentSet(tx, { ...deployment, ...running }, { actor: caller.principal });
  });
}

/** By owner or entity. @throws denied, notFound, readOnlyReplica */
export function deploymentStop(
  deps: LaunchDeps,
  caller: Caller,
  request: DeploymentName & { readonly reason?: string | undefined },
): Promise<Deployment> {
  return change(deps, { caller, named: request }, async (tx, deployment) => {
    assertOwnerOrEntity(caller, deployment);
    if (deployment.desired === 'stopped') return deployment;
    const desiredReason = request.reason ?? `stopped by ${caller.principal}`;
    return deploymentSet(
      tx,
      { ...deployment, desired: 'stopped', desiredReason },
      { actor: caller.principal },
    );
  });
}

/**
 * By the owner: lifts the revocations, which accepts their evidence (it does not fire again), and starts again.
 * @throws denied, grantMissing, quarantined, notFound, readOnlyReplica
 */
export function deploymentRestore(
  deps: LaunchDeps,
  caller: Caller,
  request: DeploymentName & { readonly reason: string },
): Promise<Deployment> {
  return change(deps, { caller, named: request }, async (tx, deployment) => {
    assertOwner(caller, deployment);
    await assertGranted(tx.db, deployment);
    await assertImageOpen(tx.db, deployment);
    const by = caller.principal;
    const lift = { deploymentUid: deployment.uid, by, reason: request.reason };
    const revocations = await revocationsLift(tx, lift);
    return deploymentSet(tx, { ...deployment, ...running }, { actor: by, revocations });
  });
}

/** By owner or entity; for good. @throws denied, notFound, readOnlyReplica */
export function deploymentDelete(
  deps: LaunchDeps,
  caller: Caller,
  named: DeploymentName,
): Promise<Deployment> {
  return change(deps, { caller, named }, async (tx, deployment) => {
    assertOwnerOrEntity(caller, deployment);
    const desiredReason = `removed by ${caller.principal}`;
    return deploymentSet(
      tx,
      { ...deployment, desired: 'removed', desiredReason },
      { actor: caller.principal },
    );
  });
}

/** @throws notFound, conflict when several owners have one of that name */
export async function deploymentNamed(
  db: Tx['db'] | LaunchDeps['database']['read'],
  caller: Caller,
  { name, owner }: DeploymentName,
): Promise<Deployment> {
  const found = await deploymentList(db, { name, ...(owner ? { owner } : {}), accounts: accountsOf(caller) });
  const [first, second] = found;
  if (!first) throw new LazaretError('notFound', `there is no deployment '${name}'`);
  if (!second) return first;
  const owners = found.map((deployment) => deployment.owner);
  throw new LazaretError(
    'conflict',
    `several accounts have a deployment '${name}': ${owners.join(', ')}; name the owner`,
    { detail: { path: 'owner', owners } },
  );
}

const running = { desired: 'running', desiredReason: null } as const;

async function change(
  deps: LaunchDeps,
  asked: { readonly caller: Caller; readonly named: DeploymentName },
  decide: (tx: Tx, deployment: Deployment) => Promise<Deployment>,
): Promise<Deployment> {
  await assertPrimary(deps.database.read, deps.region);
  return deps.database.transact(async (tx) =>
    decide(tx, await deploymentNamed(tx.db, asked.caller, asked.named)),
  );
}
