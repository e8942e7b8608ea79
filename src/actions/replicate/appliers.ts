import { accessSnapshotApply } from '../../records/access/access-snapshot.ts';
import { grantApply } from '../../records/access/grants.ts';
import { fleetApply } from '../../records/fleet/apply.ts';
import { acknowledgementKeep } from '../../records/marks/quarantines.ts';
import {
  inspectionApply,
  manifestGoneApply,
  tagApply,
  tagGoneApply,
} from '../../records/regions/content-apply.ts';
import { copyForDeployment, copyForManifest } from '../../records/regions/copies.ts';
import { manifestApply } from '../../records/regions/manifest-apply.ts';
import { applyExemptions, applyQuarantine } from './apply-quarantine.ts';
import type { Applier, Applying } from './applying.ts';
import { grantOfEvent } from './grant-of-event.ts';

/** The event is kept in the log; no row here depends on it. */
const kept: Applier = async () => {};

const content: Readonly<Record<string, Applier>> = {
  'manifest.pushed': manifestPushed,
  'manifest.restored': manifestRestored,
  'manifest.deleted': (applying) => manifestGone(applying, 'deleted'),
  'manifest.withdrawn': (applying) => manifestGone(applying, 'withdrawn'),
  'tag.set': async ({ tx, event, data }) =>
    tagApply(tx, {
      origin: event.origin,
      repository: data.member('repository').string(),
      tag: data.member('tag').string(),
      digest: data.member('digest').string(),
      algorithm: data.optionalOrNull('algorithm')?.oneOf(['sha256', 'sha512']) ?? 'sha256',
      at: event.at,
      actor: event.actor,
    }),
  'tag.deleted': async ({ tx, event, data }) =>
    tagGoneApply(tx, {
      origin: event.origin,
      repository: data.member('repository').string(),
      tag: data.member('tag').string(),
    }),
  'layer.inspected': async ({ tx, event, data }) =>
    inspectionApply(tx, {
      origin: event.origin,
      digest: data.member('digest').string(),
      diffId: data.optionalOrNull('diffId')?.string() ?? null,
    }),
  'access.changed': async ({ tx, event, snapshot }) => {
    if (snapshot) await accessSnapshotApply(tx, snapshot, event.origin);
  },
  'quarantine.acknowledged': async ({ tx, event, data }) =>
    acknowledgementKeep(tx, {
      quarantineUid: data.member('quarantine').string(),
      region: event.origin,
      version: data.member('version').count(),
      at: event.at,
    }),
  'quarantine.expiring': kept,
  'deployment.set': deployment,
  'instance.registered': fleet,
  'container.starting': fleet,
  'container.started': fleet,
  'container.stopped': fleet,
  'container.failed': fleet,
  'container.refused': fleet,
  'container.paused': fleet,
  'container.leaseEnded': fleet,
  'criteria.met': kept,
  'region.restored': kept,
};

const quarantine: Readonly<Record<string, Applier>> = {
  'quarantine.set': applyQuarantine,
  'quarantine.changed': applyQuarantine,
  'quarantine.exempted': applyExemptions,
  'quarantine.released': applyQuarantine,
  'quarantine.destroyed': applyQuarantine,
  'grant.set': grant,
  'grant.revoked': grant,
  'deployment.ended': deployment,
  'region.restored': kept,
};

/** The one list of what this version can apply, by lane and type. */
export const appliers = { content, quarantine } as const;

async function manifestPushed({ tx, event, data, attachment, policy }: Applying): Promise<void> {
  // Gone at its origin by the time that the event was sent; an event that says so follows.
  if (!attachment) return;
  const digest = data.member('digest').string();
  const { origin, at, actor } = event;
  const repository = data.member('repository').string();
  const pushed = { origin, repository, digest, pushedAt: at, pushedBy: actor, attachment };
  if (!(await manifestApply(tx, pushed))) return;
  for (const tag of data.optionalOrNull('tags')?.items(1_000) ?? [])
    await tagApply(tx, { origin, repository, tag: tag.string(), digest, algorithm: 'sha256', at, actor });
  if (attachment.whole) await copyForManifest(tx, { repository, digest }, policy);
}

/** As home pushed it, also if it was collected here meanwhile. */
async function manifestRestored({ tx, event, data, attachment, policy }: Applying): Promise<void> {
  if (!attachment) return;
  const digest = data.member('digest').string();
  const repository = data.member('repository').string();
  const restored = {
    origin: event.origin,
    repository,
    digest,
    pushedAt: data.member('pushedAt').count(),
    pushedBy: data.member('pushedBy').string(),
    attachment,
  };
  if ((await manifestApply(tx, restored)) && attachment.whole)
    await copyForManifest(tx, { repository, digest }, policy);
}

function manifestGone({ tx, event, data }: Applying, how: 'deleted' | 'withdrawn'): Promise<void> {
  return manifestGoneApply(tx, {
    origin: event.origin,
    repository: data.member('repository').string(),
    digest: data.member('digest').string(),
    at: event.at,
    how,
  });
}

async function fleet({ tx, event }: Applying): Promise<void> {
  await fleetApply(tx, event);
}

async function deployment({ tx, event, data }: Applying): Promise<void> {
  const newer = await fleetApply(tx, event);
  const here = data.member('region').string() === tx.region && data.member('desired').string() === 'running';
  if (newer && here) await copyForDeployment(tx, data.member('manifestDigest').string());
}

async function grant({ tx, data }: Applying): Promise<void> {
  await grantApply(tx, grantOfEvent(data));
}
