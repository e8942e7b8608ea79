import { sql } from 'kysely';
import type { Repository } from '../catalog/repositories.ts';
import type { Reader } from '../db/engine.ts';
import type { ManifestFact } from './verdict.ts';

/**
 * The ids of those manifests that some active mark might reach: more than the door refuses, never fewer. It goes out from
 * the marks, which are few, and up through the indexes.
 */
export async function manifestsMaybeMarked(
  db: Reader,
  repository: Repository,
  manifests: readonly ManifestFact[],
): Promise<ReadonlySet<number>> {
  const marks = await db
    .selectFrom('marks')
    .innerJoin('quarantines', 'quarantines.id', 'marks.quarantine_id')
    .select((e) => e.fn.countAll<number>().as('marks'))
    .select((e) =>
      e.fn.sum<number>(e.case().when('marks.target', '=', 'repository').then(1).else(0).end()).as('globs'),
    )
    .where('quarantines.released_at', 'is', null)
    .where((e) =>
      e.or([
        e('quarantines.scope_account', 'is', null),
        e('quarantines.scope_account', '=', repository.account),
      ]),
    )
    .executeTakeFirst();
  if (Number(marks?.marks ?? 0) === 0) return new Set();
  if (Number(marks?.globs ?? 0) > 0) return new Set(manifests.map((manifest) => manifest.id));
  return withIndexes(manifests, await namedByMarks(db, repository));
}

async function namedByMarks(db: Reader, repository: Repository): Promise<ReadonlySet<number>> {
  const active = sql`select marks.digest, marks.diff_id from marks
    join quarantines on quarantines.id = marks.quarantine_id
    where quarantines.released_at is null
      and (quarantines.scope_account is null or quarantines.scope_account = ${repository.account})`;
  const { rows } = await sql<{ id: number }>`
    select manifests.id from (${active}) as active join manifests on manifests.digest = active.digest
    union select edges.manifest_id as id from (${active}) as active join edges on edges.digest = active.digest
    union select edges.manifest_id as id from (${active}) as active join edges on edges.diff_id = active.diff_id
    union select edges.manifest_id as id from (${active}) as active
      join inspections on inspections.diff_id = active.diff_id
      join blobs on blobs.id = inspections.blob_id
      join edges on edges.digest = blobs.digest`.execute(db);
  return new Set(rows.map((row) => Number(row.id)));
}

function withIndexes(manifests: readonly ManifestFact[], named: ReadonlySet<number>): ReadonlySet<number> {
  const reached = new Set(named);
  const reachedDigests = new Set(manifests.filter(({ id }) => named.has(id)).map(({ digest }) => digest));
  for (let grew = true; grew; ) {
    grew = false;
    for (const manifest of manifests) {
      if (reached.has(manifest.id) || !manifest.children.some((child) => reachedDigests.has(child))) continue;
      reached.add(manifest.id);
      reachedDigests.add(manifest.digest);
      grew = true;
    }
  }
  return reached;
}
