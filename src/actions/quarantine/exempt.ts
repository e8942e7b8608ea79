import { limits } from '../../lib/limits.ts';
import type { Task } from '../../lib/task.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { logHead, logRead } from '../../records/log/log.ts';
import {
  type Exemption,
  exemptionsKeep,
  exemptionsOf,
  imageReachInUse,
  quarantinesOver,
} from '../../records/marks/exemptions.ts';
import { type Quarantine, quarantineGet, quarantineList } from '../../records/marks/quarantines.ts';
import { type ReachedImage, reachOf } from '../../records/marks/reach.ts';
import { imagesWithHome } from '../../records/regions/home.ts';
import { decideByCriteria } from './decide.ts';

/**
 * Decides which images a quarantine of reach `image` spares, where their repository has its home:
 *
 * - when the quarantine is set: of all images on its layers, in the same transaction (`apply.ts`), before the event of the
 *   quarantine, so that no follower sees it without them;
 * - when it comes from another region, and when this process starts: of all again;
 * - when an image's inspection has ended: of that one;
 * - when an exception begins or ends to count: of all again.
 *
 * An image that is not decided is refused. Deciding again changes nothing, so several processes may do it at once.
 */
export interface ExemptDeps {
  readonly database: Database;
  readonly region: string;
}

const actor = 'quarantine';
const readAtOnce = 200;
const exceptionsChanged: readonly string[] = [
  'exception.accepted',
  'exception.withdrawn',
  'exception.expired',
];

export function exemptTask(deps: ExemptDeps): Task {
  const { read } = deps.database;
  let cursor: number | undefined;
  return {
    name: 'quarantine-exempt',
    periodMs: 5_000,
    run: async (signal) => {
      const head = await logHead(read);
      const inUse = await imageReachInUse(read);
      if (!inUse || cursor === undefined) {
        if (inUse) await decideAll(deps, signal);
        cursor = head;
        return 'idle';
      }
      const events = await logRead(read, { after: cursor, limit: readAtOnce });
      if (events.some(({ type }) => exceptionsChanged.includes(type))) await decideAll(deps, signal);
      for (const event of events) {
        if (signal.aborted) return 'idle';
        await decideAfter(deps, event);
        cursor = event.position;
      }
      return events.length > 0 ? 'worked' : 'idle';
    },
  };
}

/** Followers learn of them in the lane that is read ahead. */
export async function exemptionsSet(
  tx: Tx,
  quarantine: Pick<Quarantine, 'uid' | 'name' | 'scopeAccount'>,
  exemptions: readonly Exemption[],
): Promise<void> {
  if (exemptions.length === 0) return;
  const version = await tx.nextVersion();
  await exemptionsKeep(tx, exemptions, version);
  for (let at = 0; at < exemptions.length; at += limits.exemptionsAtOnce) {
    const part = exemptions.slice(at, at + limits.exemptionsAtOnce);
    tx.emit({
      type: 'quarantine.exempted',
      lane: 'quarantine',
      account: quarantine.scopeAccount ?? undefined,
      subject: quarantine.name,
      actor,
      data: {
        quarantine: quarantine.uid,
        version,
        manifests: part.map(({ manifestDigest: digest, exempt }) => ({ digest, exempt })),
      },
    });
  }
}

async function decideAll(deps: ExemptDeps, signal: AbortSignal): Promise<void> {
  const active = await quarantineList(deps.database.read, { activeOnly: true, limit: limits.apiPageMax });
  for (const quarantine of active) if (!signal.aborted) await decideOver(deps, quarantine);
}

async function decideAfter(deps: ExemptDeps, { type, data, origin }: LogEvent): Promise<void> {
  const { read } = deps.database;
  if (type === 'image.inspected' && typeof data.digest === 'string') {
    for (const uid of await quarantinesOver(read, data.digest)) {
      const quarantine = await quarantineGet(read, uid);
      if (quarantine) await decideOver(deps, quarantine, data.digest);
    }
  } else if (type === 'quarantine.set' && origin !== deps.region && typeof data.uid === 'string') {
    const quarantine = await quarantineGet(read, data.uid);
    if (quarantine) await decideOver(deps, quarantine);
  }
}

/** Of all images of this region on the quarantine's layers, or of one of them. */
async function decideOver(deps: ExemptDeps, quarantine: Quarantine, only?: string): Promise<void> {
  const { database, region } = deps;
  if (quarantine.reach !== 'image' || quarantine.releasedAt !== null) return;
  const images = await imagesOver(deps, quarantine, only);
  const here = await imagesWithHome(database.read, region, [...new Set(images.map((one) => one.digest))]);
  const before = await exemptionsOf(database.read, quarantine.uid);
  const decide = decideByCriteria(database, { ...quarantine, account: quarantine.scopeAccount });
  const decisions = await decide(images);
  const changes = new Map<string, Exemption>();
  for (const { manifestId, digest } of images) {
    const decision = decisions.get(manifestId);
    if (!here.has(digest) || decision === undefined || decision === 'undecided') continue;
    const exempt = decision === 'spared';
    // What is refused needs no row; it gets one when it was spared before, or somebody waits for it.
    const known = before.get(digest) ?? (only === undefined ? false : undefined);
    if (known !== exempt)
      changes.set(digest, { quarantineUid: quarantine.uid, manifestDigest: digest, exempt });
  }
  if (changes.size > 0) await database.transact((tx) => exemptionsSet(tx, quarantine, [...changes.values()]));
}

async function imagesOver(
  { database }: ExemptDeps,
  { marks, scopeAccount }: Quarantine,
  only: string | undefined,
): Promise<readonly ReachedImage[]> {
  const layers = marks.flatMap((mark) =>
    mark.target === 'layer' && mark.digest !== null ? [mark.digest] : [],
  );
  const targets = { layers, manifests: [], repositories: [] };
  const { images } = await reachOf(database, targets, scopeAccount ?? undefined);
  return only === undefined ? images : images.filter((image) => image.digest === only);
}
