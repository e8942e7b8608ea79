import type { Reader } from '../db/engine.ts';

/** Quarantines of other regions whose present version `region` has not acknowledged, oldest first: their uids. */
export async function acknowledgementsDue(db: Reader, region: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('quarantines')
    .leftJoin('acknowledgements', (join) =>
      join
        .onRef('acknowledgements.quarantine_uid', '=', 'quarantines.uid')
        .on('acknowledgements.region', '=', region),
    )
    .select('quarantines.uid')
    .where('quarantines.origin', '!=', region)
    .where((e) =>
      e.or([
        e('acknowledgements.version', 'is', null),
        e('acknowledgements.version', '<', e.ref('quarantines.version')),
      ]),
    )
    .orderBy('quarantines.id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.uid);
}
