import { severities } from '../../criteria/advisory.ts';
import { limits } from '../../lib/limits.ts';
import type { EvidenceRow, Hit } from '../../records/criteria/leaf.ts';
import type { Database } from '../../records/db/database.ts';
import type { Evidence } from '../../records/scans/evidence.ts';
import type { Evaluation } from './evaluate.ts';

/**
 * Why images match, by their place in the universe. Of one image at most `limits.scanEvidenceRowsMax` reasons
 * of each kind of criteria: of advisories the worst first, and those of one flaw as one.
 */
export async function evidenceOf(
  database: Database,
  { universe, explaining }: Evaluation,
  places: readonly number[],
): Promise<ReadonlyMap<number, readonly Evidence[]>> {
  return evidenceWhere(database, { universe, explaining }, { places, select: worstFirst });
}

/** Of that what was not known before: findings of flaws of which there was none, from `sinceMs` until `untilMs`. */
export async function newEvidenceOf(
  database: Database,
  evaluation: Pick<Evaluation, 'universe' | 'explaining'>,
  {
    places,
    sinceMs,
    untilMs,
  }: { readonly places: readonly number[]; readonly sinceMs: number; readonly untilMs: number },
): Promise<ReadonlyMap<number, readonly Evidence[]>> {
  const isNew = ({ since }: EvidenceRow) => Number(since) >= sinceMs && Number(since) <= untilMs;
  const select = (rows: readonly EvidenceRow[]) =>
    worstFirst(
      [...Map.groupBy(rows, keyOf).values()].flatMap((ofFlaw) => (ofFlaw.every(isNew) ? ofFlaw : [])),
    );
  return evidenceWhere(database, evaluation, { places, select });
}

async function evidenceWhere(
  database: Database,
  { universe, explaining }: Pick<Evaluation, 'universe' | 'explaining'>,
  of: {
    readonly places: readonly number[];
    readonly select: (rows: readonly EvidenceRow[]) => readonly EvidenceRow[];
  },
): Promise<ReadonlyMap<number, readonly Evidence[]>> {
  const found = new Map<number, Evidence[]>(of.places.map((at) => [at, []]));
  const ids = universe.manifestIds(of.places);
  for (const leaf of explaining) {
    const rows = Map.groupBy(await rowsOf(database, leaf, ids), ({ manifest_id }) => manifest_id);
    for (const ofOne of rows.values())
      for (const row of of.select(ofOne))
        for (const at of universe.found([placeOf(row)])) found.get(at)?.push(evidence(row));
  }
  return found;
}

function keyOf({ repository_id, layer, path, purl, flaw }: EvidenceRow): string {
  return JSON.stringify([repository_id ?? null, layer, path, purl, flaw ?? null]);
}

function worstFirst(rows: readonly EvidenceRow[]): readonly EvidenceRow[] {
  const sorted = rows.toSorted((a, b) => rankOf(b) - rankOf(a) || Number(isFixed(b)) - Number(isFixed(a)));
  const told = new Set<string>();
  return sorted.filter((row) => {
    if (!row.flaw) return true;
    return told.size < told.add(keyOf(row)).size;
  });
}

const ranks: readonly (string | null)[] = severities;

function rankOf({ severity }: EvidenceRow): number {
  return ranks.indexOf(severity);
}

function isFixed({ fixed_version }: EvidenceRow): boolean {
  return fixed_version !== null;
}

/** In halves where one statement would not give all. */
async function rowsOf(
  database: Database,
  leaf: Evaluation['explaining'][number],
  manifestIds: readonly number[],
): Promise<readonly EvidenceRow[]> {
  if (manifestIds.length === 0) return [];
  const rows = await database.search(leaf.evidence(manifestIds, limits.scanEvidenceRowsMax));
  if (rows.length < limits.scanEvidenceRowsMax || manifestIds.length === 1) return rows;
  const middle = Math.ceil(manifestIds.length / 2);
  return [
    ...(await rowsOf(database, leaf, manifestIds.slice(0, middle))),
    ...(await rowsOf(database, leaf, manifestIds.slice(middle))),
  ];
}

function placeOf({ manifest_id, repository_id }: EvidenceRow): Hit {
  return repository_id === undefined ? { manifest_id } : { manifest_id, repository_id };
}

function evidence(row: EvidenceRow): Evidence {
  const { layer, path, purl, advisory, severity, fixed_version, secret, line, malware } = row;
  return {
    layer,
    path,
    purl,
    advisory,
    severity,
    fixedVersion: fixed_version,
    ...(secret ? { secret } : {}),
    ...(line ? { line: Number(line) } : {}),
    ...(malware ? { malware } : {}),
  };
}
