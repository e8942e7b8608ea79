import { createHash } from 'node:crypto';
import type { Deployment, Reason } from '../../contract/fleet.ts';
import { describeCriteria } from '../../criteria/describe.ts';
import {
  describeEvent,
  type EventCriterion,
  type EventResponse,
  parseEventCriteria,
} from '../../criteria/event-criteria.ts';
import { assertNever } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { grantLastRevoked } from '../../records/access/grants.ts';
import { manifestIdOf } from '../../records/catalog/images.ts';
import { containersOfDeployment } from '../../records/fleet/containers.ts';
import { refusalOfManifest } from '../../records/marks/door.ts';
import type { Evidence } from '../../records/scans/evidence.ts';
import { isGranted } from '../launch/launch-check.ts';
import type { RevokeDeps } from './revoke-deps.ts';

/** An event that a deployment's criteria name and that is so now. */
export interface Occurrence {
  readonly response: EventResponse;
  /** For people: `a fixable advisory of severity high or worse applies`. */
  readonly trigger: string;
  /** Where the criteria came from. */
  readonly source: string;
  /** Sorted by key, at most `limits.revocationEvidenceMax` and one more. */
  readonly evidence: readonly Reason[];
}

/** What of the deployment's event criteria is met now. *Unknown* is not met. @throws invalid, unavailable */
export async function occurrencesOf(deps: RevokeDeps, deployment: Deployment): Promise<Occurrence[]> {
  const found: Occurrence[] = [];
  for (const { source, document } of deployment.eventCriteria) {
    const { when, response } = parseEventCriteria(document);
    for (const event of when) {
      const reasons = await reasonsOf(deps, deployment, event);
      if (reasons.length === 0) continue;
      const scope = `${response}:${hash(JSON.stringify(event)).slice(0, 12)}`;
      found.push({ response, trigger: describeEvent(event), source, evidence: bounded(scope, reasons) });
    }
  }
  return found;
}

async function reasonsOf(deps: RevokeDeps, deployment: Deployment, event: EventCriterion): Promise<Reason[]> {
  switch (event.kind) {
    case 'imageMeets':
      return imageReasons(deps, deployment, event);
    case 'quarantined':
      return quarantineReasons(deps, deployment);
    case 'grantRevoked':
      return grantReasons(deps, deployment);
    case 'until':
      return deps.clock.wallMs() < event.untilMs
        ? []
        : [reason(`until:${event.untilMs}`, describeEvent(event))];
    case 'after':
      return durationReasons(deps, deployment, event);
    default:
      return assertNever(event);
  }
}

async function imageReasons(
  deps: RevokeDeps,
  deployment: Deployment,
  event: Extract<EventCriterion, { kind: 'imageMeets' }>,
): Promise<Reason[]> {
  const manifestId = await manifestIdOf(deps.database.read, deployment.manifestDigest);
  if (manifestId === undefined) return [];
  const { repository } = deployment;
  const meets = await deps.imageMeets(deps.database, manifestId, event.criteria, repository);
  const { verdict, evidence } = meets;
  if (verdict !== 'match') return [];
  // What matches by the absence of something has nothing to show for it.
  if (evidence.length === 0) return [reason('meets', `the image ${describeCriteria(event.criteria)}`)];
  return evidence.map(evidenceReason);
}

async function quarantineReasons(deps: RevokeDeps, deployment: Deployment): Promise<Reason[]> {
  const manifestId = await manifestIdOf(deps.database.read, deployment.manifestDigest);
  if (manifestId === undefined) return [];
  const scope = { repository: deployment.repository, account: deployment.owner };
  const refusal = await refusalOfManifest(deps.database.read, scope, manifestId);
  if (!refusal) return [];
  return [reason(`quarantine:${refusal.quarantineUid}`, `${refusal.quarantine}: ${refusal.reason}`)];
}

async function grantReasons(deps: RevokeDeps, deployment: Deployment): Promise<Reason[]> {
  const { owner, account, repository } = deployment;
  if (await isGranted(deps.database.read, deployment)) return [];
  const last = await grantLastRevoked(deps.database.read, { owner, grantee: account });
  return [reason(`grant:${last ?? 'none'}`, `${owner} no longer grants ${repository} to ${account}`)];
}

async function durationReasons(
  deps: RevokeDeps,
  deployment: Deployment,
  event: Extract<EventCriterion, { kind: 'after' }>,
): Promise<Reason[]> {
  const containers = await containersOfDeployment(deps.database.read, deployment.uid);
  const nowMs = deps.clock.wallMs();
  return containers
    .filter(
      ({ state, startedAt }) =>
        state === 'running' && startedAt !== null && startedAt + event.afterMs <= nowMs,
    )
    .map(({ uid, startedAt }) =>
      reason(`after:${uid}:${startedAt}`, `container ${uid}: ${describeEvent(event)}`),
    );
}

function evidenceReason(evidence: Evidence): Reason {
  const { layer, path, purl, advisory, severity, fixedVersion } = evidence;
  const key = [advisory, purl, layer, path].map((part) => part ?? '').join('|');
  const graded = advisory && severity ? `${advisory} (${severity})` : advisory;
  const fixed = fixedVersion ? `fixed in ${fixedVersion}` : undefined;
  const text = [purl ?? path, graded, fixed].filter(Boolean).join(', ');
  return { key, text: text || `layer ${layer}`, layer, path, purl, advisory, severity, fixedVersion };
}

function reason(key: string, text: string): Reason {
  const none = { layer: null, path: null, purl: null, advisory: null, severity: null, fixedVersion: null };
  return { key, text, ...none };
}

/**
 * Evidence counts for the event and response that it was found for: what was only announced, or accepted for one event,
 * says nothing about another.
 */
function bounded(scope: string, reasons: readonly Reason[]): Reason[] {
  const unique = new Map(reasons.map((one) => [`${scope}:${one.key}`, one]));
  const sorted = [...unique].map(([key, one]) => ({ ...one, key })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const rest = sorted.slice(limits.revocationEvidenceMax);
  if (rest.length === 0) return sorted;
  const more = hash(rest.map((one) => one.key).join('\n'));
  return [
    ...sorted.slice(0, limits.revocationEvidenceMax),
    reason(`${scope}:more:${more}`, `and ${rest.length} more`),
  ];
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
