import { sql } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Reader } from '../db/engine.ts';
import { keptQuery } from '../db/kept-query.ts';
import { imageReachInUse } from './exemptions.ts';
import { type Content, contentOfManifest } from './manifest-content.ts';

/**
 * The one check that every door asks: does an active mark reach this content, for a repository of this account? It reads
 * the rows in the request that asks, so that an acknowledged mark refuses from then on.
 *
 * A mark on a layer names its blob digest and, once known, its diff id, so that every compression of it is meant. Scope is
 * decided by the repository's account, not by the caller's: an account's mark binds its own repositories, an operator's
 * (`scope_account` null) all.
 *
 * Reach `layer` refuses every reference to a marked layer. Reach `image` spares the images that are exempt, since their
 * inspection shows that they hide the match. The layer itself is open to who may push, for the fix is usually pushed on
 * the same base, and to who may pull once an image of that repository is exempt. A manifest may be pushed while its
 * inspection goes on; it is served when that has decided.
 */
export interface Refusal {
  /** `Q-17`, what people are shown. */
  readonly quarantine: string;
  readonly quarantineUid: string;
  readonly reason: string;
  readonly author: string;
  readonly ticket: string | null;
  /** What it was made of: the scan `S-31`, or who named the marks. */
  readonly cause: string;
  /** The layer or manifest that carries the mark. */
  readonly marked: string;
  readonly since: number;
  readonly reach: 'layer' | 'image';
}

export interface DoorScope {
  readonly repository: string;
  /** The repository's account. */
  readonly account: string;
}

/** Which marks of reach `image` on a layer do not count: all, for who pushes; those that an image is exempt from. */
type Spared = { readonly kind: 'pushed' } | { readonly kind: 'exempt'; readonly manifestDigest: string };

/**
 * For content that is pushed, and need not be here: a manifest, an upload being closed, a mount. Whether an image shows
 * what reach `image` is about, see `refusalOfPushed`.
 */
export function refusalOfContent(
  db: Reader,
  scope: DoorScope,
  content: Content,
): Promise<Refusal | undefined> {
  return firstRefusal(db, scope, { content, spared: { kind: 'pushed' } });
}

async function firstRefusal(
  db: Reader,
  { repository, account }: DoorScope,
  { content: { digests, diffIds }, spared }: { content: Content; spared: Spared | undefined },
): Promise<Refusal | undefined> {
  const content = { account, digests: [...digests, none], diffIds: [...diffIds, none] };
  const marks =
    spared === undefined
      ? await marksReaching.any(db, content)
      : spared.kind === 'pushed'
        ? await marksReaching.pushed(db, content)
        : await marksReaching.image(db, { ...content, manifestDigest: spared.manifestDigest });
  const covers = ({ repository_glob: glob }: ActiveMark) => glob !== null && globMatcher(glob)(repository);
  const mark = marks.find(({ target }) => target !== 'repository') ?? marks.find(covers);
  return mark && refusalOf(mark);
}

interface ContentOfAccount {
  readonly account: string;
  readonly digests: readonly string[];
  readonly diffIds: readonly string[];
}

/** The marks on that content, or on repositories. */
const marksReaching = {
  any: keptQuery(activeMarksOn),
  pushed: keptQuery((db, content: ContentOfAccount) =>
    activeMarksOn(db, content).where((e) =>
      e.or([e('quarantines.reach', '=', 'layer'), e('marks.target', '!=', 'layer')]),
    ),
  ),
  image: keptQuery((db, image: ContentOfAccount & { manifestDigest: string }) =>
    activeMarksOn(db, image).where(notExempt(image.manifestDigest)),
  ),
};

function activeMarksOn(db: Reader, { account, digests, diffIds }: ContentOfAccount) {
  return activeMarks(db, account).where((e) =>
    e.or([
      e('marks.target', '=', 'repository'),
      e('marks.digest', 'in', digests),
      e.and([e('marks.target', '=', 'layer'), e('marks.diff_id', 'in', diffIds)]),
    ]),
  );
}

function notExempt(manifestDigest: string) {
  return sql<boolean>`not (quarantines.reach = 'image' and marks.target = 'layer' and exists (
    select 1 from mark_exemptions where mark_exemptions.quarantine_uid = quarantines.uid
      and mark_exemptions.manifest_digest = ${manifestDigest} and mark_exemptions.exempt = 1))`;
}

/**
 * For a blob that is here, with the diff id that its inspection found.
 * @param mayPush whether the caller may also push to the repository
 */
export async function refusalOfBlob(
  db: Reader,
  scope: DoorScope,
  digest: string,
  mayPush = false,
): Promise<Refusal | undefined> {
  const [inspected] = await inspectionsOf(db, { digest });
  const content = { digests: [digest], diffIds: inspected?.diff_id ? [inspected.diff_id] : [] };
  const refusal = await firstRefusal(db, scope, { content, spared: undefined });
  if (!refusal || refusal.reach === 'layer') return refusal;
  const closed = await refusalOfContent(db, scope, content);
  if (closed || mayPush) return closed;
  const open = await neededByExempt(db, { scope, digest, quarantineUid: refusal.quarantineUid });
  return open ? undefined : refusal;
}

const inspectionsOf = keptQuery((db, { digest }: { digest: string }) =>
  db
    .selectFrom('inspections')
    .innerJoin('blobs', 'blobs.id', 'inspections.blob_id')
    .select('inspections.diff_id')
    .where('blobs.digest', '=', digest),
);

const exemptLookedAtMax = 100;

/** Whether an image of the repository, in service and exempt, needs the blob. */
async function neededByExempt(
  db: Reader,
  { scope, digest, quarantineUid }: { scope: DoorScope; digest: string; quarantineUid: string },
): Promise<boolean> {
  const exempt = await db
    .selectFrom('edges')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'edges.manifest_id')
    .innerJoin('repositories', 'repositories.id', 'repository_manifests.repository_id')
    .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
    .innerJoin('mark_exemptions', 'mark_exemptions.manifest_digest', 'manifests.digest')
    .select('edges.manifest_id')
    .where('edges.digest', '=', digest)
    .where('edges.kind', '=', 'layer')
    .where('repositories.name', '=', scope.repository)
    .where('repository_manifests.deleted_at', 'is', null)
    .where('repository_manifests.withdrawn_at', 'is', null)
    .where('mark_exemptions.quarantine_uid', '=', quarantineUid)
    .where('mark_exemptions.exempt', '=', 1)
    .limit(exemptLookedAtMax)
    .execute();
  for (const { manifest_id } of exempt) if (!(await refusalOfManifest(db, scope, manifest_id))) return true;
  return false;
}

/** How long after an inspection its decision may be on its way. */
const decisionMs = 10_000;

/** Whether the inspection that decides about an image, or about a platform of an index, goes on. */
export async function awaitsInspection(db: Reader, manifestId: number, nowMs: number): Promise<boolean> {
  const row = await db
    .selectFrom('images')
    .select('images.manifest_id')
    .where((e) =>
      e.or([
        e('images.manifest_id', '=', manifestId),
        e(
          'images.manifest_id',
          'in',
          e
            .selectFrom('edges')
            .innerJoin('manifests', 'manifests.digest', 'edges.digest')
            .select('manifests.id')
            .where('edges.manifest_id', '=', manifestId)
            .where('edges.kind', '=', 'child'),
        ),
      ]),
    )
    .where((e) =>
      e.or([
        e('images.state', '=', 'pending'),
        e.and([
          e('images.inspected_at', '>', nowMs - decisionMs),
          e.not(
            e.exists(
              e
                .selectFrom('mark_exemptions')
                .innerJoin('manifests as decided', 'decided.digest', 'mark_exemptions.manifest_digest')
                .select('decided.id')
                .whereRef('decided.id', '=', 'images.manifest_id'),
            ),
          ),
        ]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * For a manifest that is being pushed and whose rows are there: refused if an inspection has shown before that it, or any
 * image that it names, does not hide what is marked with reach `image`.
 */
export async function refusalOfPushed(
  db: Reader,
  scope: DoorScope,
  { manifestId, nowMs, depth = 0 }: { manifestId: number; nowMs: number; depth?: number },
): Promise<Refusal | undefined> {
  if (depth === 0 && !(await imageReachInUse(db))) return undefined;
  const content = await contentOfManifest(db, manifestId);
  const own = await firstRefusal(db, scope, { content, spared: exemptAs(content) });
  if (own && !(await awaitsInspection(db, manifestId, nowMs))) return own;
  if (depth >= limits.indexDepthMax) return undefined;
  for (const childId of content.childIds) {
    const refusal = await refusalOfPushed(db, scope, { manifestId: childId, nowMs, depth: depth + 1 });
    if (refusal) return refusal;
  }
  return undefined;
}

/** A manifest's own digest is the first of its content. */
function exemptAs({ digests }: Content): Spared {
  return { kind: 'exempt', manifestDigest: digests[0] ?? none };
}

/**
 * For a manifest that is here. An image is refused for any layer, config or manifest mark. An index is refused for a mark
 * of its own, and when no platform is left: every child that is here and runs somewhere is refused.
 */
export async function refusalOfManifest(
  db: Reader,
  scope: DoorScope,
  manifestId: number,
  depth = 0,
): Promise<Refusal | undefined> {
  const content = await contentOfManifest(db, manifestId);
  const own = await firstRefusal(db, scope, { content, spared: exemptAs(content) });
  if (own || content.childIds.length === 0 || depth >= limits.indexDepthMax) return own;
  let last: Refusal | undefined;
  for (const childId of content.childIds) {
    const refusal = await refusalOfManifest(db, scope, childId, depth + 1);
    if (!refusal) return undefined;
    last = refusal;
  }
  return last;
}

/** What is refused below an index although it is served, at any depth, by digest. */
export async function refusedChildren(
  db: Reader,
  scope: DoorScope,
  manifestId: number,
  depth = 0,
): Promise<string[]> {
  const { childIds, attestationIds } = await contentOfManifest(db, manifestId);
  const refused: number[] = [];
  const below: string[] = [];
  for (const childId of [...childIds, ...attestationIds]) {
    if (await refusalOfManifest(db, scope, childId, depth + 1)) refused.push(childId);
    else if (depth + 1 < limits.indexDepthMax)
      below.push(...(await refusedChildren(db, scope, childId, depth + 1)));
  }
  const rows =
    refused.length === 0
      ? []
      : await db.selectFrom('manifests').select('digest').where('id', 'in', refused).execute();
  return [...new Set([...rows.map((row) => row.digest), ...below])];
}

/** Matches nothing; keeps an `in` list from being empty. */
const none = '';

function activeMarks(db: Reader, account: string) {
  return db
    .selectFrom('marks')
    .innerJoin('quarantines', 'quarantines.id', 'marks.quarantine_id')
    .select(['marks.target', 'marks.digest', 'marks.diff_id', 'marks.repository_glob'])
    .select([
      'quarantines.name',
      'quarantines.uid',
      'quarantines.reason',
      'quarantines.author',
      'quarantines.ticket',
    ])
    .select(['quarantines.created_at', 'quarantines.reach', 'quarantines.cause'])
    .where('quarantines.released_at', 'is', null)
    .where((e) =>
      e.or([e('quarantines.scope_account', 'is', null), e('quarantines.scope_account', '=', account)]),
    )
    .orderBy('quarantines.created_at');
}

type ActiveMark = Awaited<ReturnType<ReturnType<typeof activeMarks>['execute']>>[number];

function refusalOf(row: ActiveMark): Refusal {
  return {
    quarantine: row.name,
    quarantineUid: row.uid,
    reason: row.reason,
    author: row.author,
    ticket: row.ticket,
    cause: row.cause,
    marked: row.digest ?? row.diff_id ?? row.repository_glob ?? '',
    since: row.created_at,
    reach: row.reach,
  };
}

/** @throws quarantined */
export function assertOpen(refusal: Refusal | undefined): void {
  if (refusal) throw quarantined(refusal);
}

/** With what the caller is told in `detail`. */
export function quarantined(refusal: Refusal): LazaretError {
  const { quarantine, reason, author, ticket, cause, marked } = refusal;
  const named = ticket === null ? quarantine : `${quarantine}, ${ticket}`;
  return new LazaretError('quarantined', `quarantined by ${author} (${named}): ${reason}`, {
    detail: { quarantine, reason, author, cause, marked, ...(ticket === null ? {} : { ticket }) },
  });
}
