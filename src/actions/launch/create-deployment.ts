import type { AttachedCriteria, Deployment, OnLeaseEnd } from '../../contract/fleet.ts';
import {
  defaultStopDeadlineMs,
  formatEventCriteria,
  parseEventCriteria,
} from '../../criteria/event-criteria.ts';
import { formatDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { uuidv7 } from '../../lib/random.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import type { Reader } from '../../records/db/engine.ts';
import { deploymentList, deploymentSet } from '../../records/fleet/deployments.ts';
import { instanceGet } from '../../records/fleet/instances.ts';
import { regionGet } from '../../records/regions/regions.ts';
import { deployableImage } from './deployable-image.ts';
import { inheritedCriteria } from './inherited-criteria.ts';
import { assertGranted, assertImageOpen } from './launch-check.ts';
import type { LaunchDeps } from './launch-deps.ts';
import { assertOwner } from './permission.ts';
import { assertPrimary } from './primary.ts';

export interface DeploymentRequest {
  readonly name: string;
  /** The entity. */
  readonly account: string;
  readonly reference: string;
  readonly region: string;
  readonly instance: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Added to what came with the image. */
  readonly eventCriteria?: unknown;
  readonly stopDeadlineMs?: number | undefined;
  /** How long it may run without a word from here; for ever unless chosen. */
  readonly leaseMs?: number | undefined;
  readonly onLeaseEnd?: OnLeaseEnd | undefined;
  /** Of an index; `linux/amd64` or as this server's machine. */
  readonly platform?: string | undefined;
}

/**
 * Decides that an image shall run: the tag is resolved now, the event criteria are those of the image and the request's
 * own. Nothing runs yet: the instance's region follows, copies what is missing, and its agent starts it.
 * @throws denied, regionUnknown, instanceUnknown, grantMissing, quarantined, nameUnknown, manifestUnknown, invalid,
 *   conflict (the owner has a deployment of that name), readOnlyReplica (not the primary region)
 */
export async function deploymentCreate(
  deps: LaunchDeps,
  caller: Caller,
  request: DeploymentRequest,
): Promise<Deployment> {
  const { database } = deps;
  await assertPrimary(database.read, deps.region);
  const { repository: named } = parseReference(request.reference);
  // First, so that who may not decide about it does not learn whether it is there.
  assertOwner(caller, { owner: named.account, repository: named.name });
  const image = await deployableImage(database.read, request.reference, request.platform ?? defaultPlatform);
  await assertPlace(database.read, request);
  assertLease(request);
  const attached = [...(await inheritedCriteria(deps, image)), ...ownCriteria(request.eventCriteria)];
  const { name, account, reference, region, instance } = request;
  const launch = { ...image, manifestDigest: image.digest, account };
  return database.transact(async (tx) => {
    const [namesake] = await deploymentList(tx.db, { owner: image.owner, name });
    if (namesake)
      throw new LazaretError('conflict', `${image.owner} has a deployment '${name}' already`, {
        detail: { path: 'name' },
      });
    await assertGranted(tx.db, launch);
    await assertImageOpen(tx.db, launch);
    const deployment = {
      uid: uuidv7(tx.nowMs),
      name,
      account,
      owner: image.owner,
      repository: image.repository,
      reference,
      manifestDigest: image.digest,
      region,
      instance,
      env: { ...request.env },
      eventCriteria: attached,
      stopDeadlineMs: stopDeadline(attached, request.stopDeadlineMs),
      leaseMs: request.leaseMs ?? null,
      onLeaseEnd: request.onLeaseEnd ?? 'stop',
      desired: 'running',
      desiredReason: null,
      createdBy: caller.principal,
      createdAt: tx.nowMs,
    } as const;
    return deploymentSet(tx, deployment, { actor: caller.principal });
  });
}

const defaultPlatform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;

/** @throws regionUnknown, instanceUnknown (also when it is another account's: who doesn't own it learns nothing of it) */
async function assertPlace(db: Reader, place: DeploymentRequest): Promise<void> {
  const region = await regionGet(db, place.region);
  const instance = await instanceGet(db, place.region, place.instance);
  if (!region && !instance)
    throw new LazaretError('regionUnknown', `there is no region '${place.region}'`, {
      detail: { path: 'region' },
    });
  if (instance?.account === place.account) return;
  throw new LazaretError(
    'instanceUnknown',
    `${place.account} has no instance '${place.instance}' in region '${place.region}'`,
    { detail: { path: 'instance' } },
  );
}

/** @throws invalid */
function assertLease({ leaseMs, onLeaseEnd }: DeploymentRequest): void {
  if (leaseMs !== undefined && leaseMs < limits.leaseMinMs)
    throw new LazaretError('invalid', `a lease lasts at least ${formatDuration(limits.leaseMinMs)}`, {
      detail: { path: 'leaseMs' },
    });
  if (leaseMs === undefined && onLeaseEnd !== undefined)
    throw new LazaretError('invalid', 'onLeaseEnd says what the end of a lease does; choose a lease too', {
      detail: { path: 'onLeaseEnd' },
    });
}

function ownCriteria(document: unknown): AttachedCriteria[] {
  if (document === undefined) return [];
  return [{ source: 'deployment', document: formatEventCriteria(parseEventCriteria(document)) }];
}

/** The shortest that anybody asked for: a deployment may add to what came with the image, never weaken it. */
function stopDeadline(attached: readonly AttachedCriteria[], asked: number | undefined): number {
  const named = attached.map(({ document }) => parseEventCriteria(document).stopDeadlineMs);
  return Math.min(...named, asked ?? (named.length > 0 ? Number.POSITIVE_INFINITY : defaultStopDeadlineMs));
}
