import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import {
  type BlobNeeds,
  type BlobVerdict,
  blobNeeds,
  blobVerdict,
  manifestsNeeding,
  needsOfBlobs,
} from '../../records/collection/blob-needs.ts';
import { clockSuspicion, collectorOff } from '../../records/collection/collector-state.ts';
import { expiredLayers, repositoriesOfBlob } from '../../records/collection/expired-marks.ts';
import { type BlobHistory, blobHistory } from '../../records/collection/history.ts';
import { deletedManifests } from '../../records/collection/manifests.ts';
import { type ReviewItem, reviewList, reviewOf } from '../../records/collection/review.ts';
import { condemnedTotal } from '../../records/collection/sweep.ts';
import type { Database } from '../../records/db/database.ts';
import type { Reader } from '../../records/db/engine.ts';
import { type Refusal, refusalOfBlob } from '../../records/marks/door.ts';

export interface ExplainDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly graceMs: number;
}

/** Why a blob lives, what will become of it, or why it went. */
export interface BlobExplanation {
  readonly blob: (BlobNeeds & { readonly neededBy: readonly NeedingManifest[] }) | null;
  readonly verdict: BlobVerdict;
  readonly repositories: readonly { readonly repository: string; readonly refusal: Refusal | null }[];
  readonly review: (ReviewItem & { readonly reviewAt: number }) | null;
  /** When it was condemned, and when its bytes were deleted; the newest first. */
  readonly history: readonly BlobHistory[];
}

interface NeedingManifest {
  readonly repository: string;
  readonly digest: string;
}

const historyMax = 10;

export async function explainBlob(deps: ExplainDeps, digest: string): Promise<BlobExplanation> {
  const db = deps.database.read;
  const blob = await blobNeeds(db, digest, deps.clock.wallMs());
  const known = blob?.digest ?? digest;
  const repositories = await repositoriesOfBlob(db, known);
  const review = await reviewOf(db, known);
  return {
    blob: blob ? { ...blob, neededBy: await manifestsNeeding(db, blob, limits.apiPageMax) } : null,
    verdict: blobVerdict(blob),
    repositories: await Promise.all(
      repositories.map(async ({ name, account }) => ({
        repository: name,
        refusal: (await refusalOfBlob(db, { repository: name, account }, known)) ?? null,
      })),
    ),
    review: review ? { ...review, reviewAt: review.changedAt + deps.graceMs } : null,
    history: await blobHistory(deps.database, known, historyMax),
  };
}

/** `free`: it goes once `reviewAt` has come. */
export interface PlanItem extends ReviewItem {
  readonly reviewAt: number;
  readonly verdict: BlobVerdict['kind'];
  /** What keeps it; null: nothing. */
  readonly keptBy: string | null;
  /** When the last hold on it ends; null: there is none, or it has no end. */
  readonly keptUntil: number | null;
  /** Of a blob; a manifest itself is small, and its blobs are reviewed when it has gone. */
  readonly sizeBytes: number;
}

export interface CollectPlan {
  /** When this was so; milliseconds since 1970. */
  readonly at: number;
  /** Why nothing goes at present. */
  readonly paused: string | null;
  readonly items: readonly PlanItem[];
  /** There is more than is listed. */
  readonly more: boolean;
  /** Layers whose quarantine's retention has ended; some may stay, for repositories that no mark reaches. */
  readonly expired: readonly { readonly digest: string; readonly quarantine: string }[];
  /** Gone for every door; their bytes are deleted next, also while it is paused by the clock. */
  readonly condemned: { readonly count: number; readonly sizeBytes: number };
}

/** What waits for the collector, and what would become of it now. */
export async function collectPlan(deps: ExplainDeps, limit: number): Promise<CollectPlan> {
  const { graceMs, clock } = deps;
  const db = deps.database.read;
  const nowMs = clock.wallMs();
  const listed = await reviewList(db, limit + 1);
  const items = listed.slice(0, limit);
  const blobs = items.filter((item) => item.kind === 'blob').map((item) => item.digest);
  const needs = await needsOfBlobs(db, blobs, nowMs);
  const planned: PlanItem[] = [];
  for (const item of items) {
    const reviewAt = item.changedAt + graceMs;
    if (item.kind === 'manifest')
      planned.push({ ...item, ...(await manifestPlan(db, item.digest, nowMs)), reviewAt });
    else planned.push({ ...item, ...blobPlan(needs.get(item.digest)), reviewAt });
  }
  return {
    at: nowMs,
    paused: (await collectorOff(db)) ?? (await clockSuspicion(db))?.reason ?? null,
    items: planned,
    more: listed.length > limit,
    expired: await expiredLayers(db, nowMs, { after: '', limit }),
    condemned: await condemnedTotal(db),
  };
}

type Planned = Pick<PlanItem, 'verdict' | 'keptBy' | 'keptUntil' | 'sizeBytes'>;

function untilOf(verdict: BlobVerdict): number | null {
  return verdict.kind === 'held' ? verdict.untilMs : null;
}

function blobPlan(blob: BlobNeeds | undefined): Planned {
  const verdict = blobVerdict(blob).kind;
  const keptBy = verdict === 'needed' ? 'a manifest' : holdsText(blob?.holds ?? []);
  return { verdict, keptBy, keptUntil: untilOf(blobVerdict(blob)), sizeBytes: blob?.sizeBytes ?? 0 };
}

/** Fresh uploads and answers are held by many numbers that nobody knows; the rest by names. */
function holdsText(holds: BlobNeeds['holds']): string | null {
  const texts = holds.map(({ kind, holder }) => {
    if (kind === 'upload') return 'a fresh upload';
    return kind === 'answer' ? 'a client was told that it is here' : `${kind} ${holder}`;
  });
  return texts.length === 0 ? null : [...new Set(texts)].join(', ');
}

async function manifestPlan(db: Reader, digest: string, nowMs: number): Promise<Planned> {
  const deleted = await deletedManifests(db, digest, nowMs);
  if (deleted.length === 0)
    return { verdict: 'needed', keptBy: 'it is in service, or gone', keptUntil: null, sizeBytes: 0 };
  if (deleted.every((each) => each.kept))
    return { verdict: 'held', keptBy: 'an index, a hold or a quarantine', keptUntil: null, sizeBytes: 0 };
  return { verdict: 'free', keptBy: null, keptUntil: null, sizeBytes: 0 };
}
