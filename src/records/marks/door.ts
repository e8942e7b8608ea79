import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Reader } from '../db/engine.ts';

/**
 * The one check that every door asks: does an active mark reach this content, for a repository of this account? It reads
 * the rows in the request that asks, so that an acknowledged mark refuses from then on.
 *
 * A mark on a layer names its blob digest and, once known, its diff id, so that every compression of it is meant. Scope is
 * decided by the repository's account, not by the caller's: an account's mark binds its own repositories, an operator's
 * (`scope_account` null) all.
 */
export interface Refusal {
  /** `Q-17`, what people are shown. */
  readonly quarantine: string;
  readonly quarantineUid: string;
  readonly reason: string;
  readonly author: string;
  readonly ticket: string | null;
  /** The layer or manifest that carries the mark. */
  readonly marked: string;
  readonly since: number;
}

export interface DoorScope {
  readonly repository: string;
  /** The repository's account. */
  readonly account: string;
}

/** What is asked about: any of these digests (blob or manifest), any of these diff ids. */
export interface Content {
  readonly digests: readonly string[];
  readonly diffIds: readonly string[];
}

/** For content that need not be here: a manifest being pushed, an upload being closed, a mount. */
export async function refusalOfContent(
  db: Reader,
  scope: DoorScope,
  content: Content,
): Promise<Refusal | undefined> {
  const row = await activeMarks(db, scope.account)
    .where((e) =>
      e.or([
        e.and([e('marks.target', '!=', 'repository'), e('marks.digest', 'in', [...content.digests, none])]),
        e.and([e('marks.target', '=', 'layer'), e('marks.diff_id', 'in', [...content.diffIds, none])]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return row ? refusalOf(row) : refusalOfRepository(db, scope);
}

/** For a blob that is here, with the diff id that its inspection found. */
export async function refusalOfBlob(
  db: Reader,
  scope: DoorScope,
  digest: string,
): Promise<Refusal | undefined> {
  const inspected = await db
    .selectFrom('inspections')
    .innerJoin('blobs', 'blobs.id', 'inspections.blob_id')
    .select('inspections.diff_id')
    .where('blobs.digest', '=', digest)
    .executeTakeFirst();
  return refusalOfContent(db, scope, {
    digests: [digest],
    diffIds: inspected?.diff_id ? [inspected.diff_id] : [],
  });
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
  const own = await refusalOfContent(db, scope, content);
  if (own || content.childIds.length === 0 || depth >= limits.indexDepthMax) return own;
  let last: Refusal | undefined;
  for (const childId of content.childIds) {
    const refusal = await refusalOfManifest(db, scope, childId, depth + 1);
    if (!refusal) return undefined;
    last = refusal;
  }
  return last;
}

/** The children of an index that are refused although it is served, by digest. */
export async function refusedChildren(db: Reader, scope: DoorScope, manifestId: number): Promise<string[]> {
  const { childIds } = await contentOfManifest(db, manifestId);
  const refused: number[] = [];
  for (const childId of childIds) if (await refusalOfManifest(db, scope, childId, 1)) refused.push(childId);
  if (refused.length === 0) return [];
  const rows = await db.selectFrom('manifests').select('digest').where('id', 'in', refused).execute();
  return rows.map((row) => row.digest);
}

/** An attestation beside the platforms of an index is none of them (BuildKit's convention). */
const attestationPlatform = 'unknown/unknown';
/** Matches nothing; keeps an `in` list from being empty. */
const none = '';

async function contentOfManifest(db: Reader, manifestId: number): Promise<Content & { childIds: number[] }> {
  const edges = await db
    .selectFrom('edges')
    .leftJoin('blobs', 'blobs.digest', 'edges.digest')
    .leftJoin('inspections', 'inspections.blob_id', 'blobs.id')
    .leftJoin('manifests', 'manifests.digest', 'edges.digest')
    .select(['edges.kind', 'edges.digest', 'edges.diff_id', 'inspections.diff_id as found_diff_id'])
    .select(['manifests.id as child_id', 'manifests.platform as child_platform'])
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '!=', 'subject')
    .execute();
  const self = await db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', manifestId)
    .executeTakeFirst();
  const needed = edges.filter((edge) => edge.kind !== 'child').map((edge) => edge.digest);
  const diffIds = edges.flatMap((edge) => [edge.diff_id, edge.found_diff_id]).filter((id) => id !== null);
  const children = edges.filter(
    (edge) => edge.kind === 'child' && edge.child_platform !== attestationPlatform,
  );
  return {
    digests: self ? [self.digest, ...needed] : needed,
    diffIds: [...new Set(diffIds)],
    childIds: children.map((edge) => edge.child_id).filter((id) => id !== null),
  };
}

async function refusalOfRepository(db: Reader, scope: DoorScope): Promise<Refusal | undefined> {
  const rows = await activeMarks(db, scope.account).where('marks.target', '=', 'repository').execute();
  const row = rows.find(
    (mark) => mark.repository_glob !== null && globMatcher(mark.repository_glob)(scope.repository),
  );
  return row ? refusalOf(row) : undefined;
}

function activeMarks(db: Reader, account: string) {
  return db
    .selectFrom('marks')
    .innerJoin('quarantines', 'quarantines.id', 'marks.quarantine_id')
    .select(['marks.digest', 'marks.diff_id', 'marks.repository_glob'])
    .select([
      'quarantines.name',
      'quarantines.uid',
      'quarantines.reason',
      'quarantines.author',
      'quarantines.ticket',
    ])
    .select('quarantines.created_at')
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
    marked: row.digest ?? row.diff_id ?? row.repository_glob ?? '',
    since: row.created_at,
  };
}

/** @throws quarantined, with what the caller is told in `detail` */
export function assertOpen(refusal: Refusal | undefined): void {
  if (!refusal) return;
  const { quarantine, reason, author, ticket, marked } = refusal;
  const named = ticket === null ? quarantine : `${quarantine}, ${ticket}`;
  throw new LazaretError('quarantined', `quarantined by ${author} (${named}): ${reason}`, {
    detail: { quarantine, reason, author, marked, ...(ticket === null ? {} : { ticket }) },
  });
}
