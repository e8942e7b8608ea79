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
  const found = new Map<number, Evidence[]>(places.map((at) => [at, []]));
  const ids = universe.manifestIds(places);
  for (const leaf of explaining) {
    const rows = Map.groupBy(await rowsOf(database, leaf, ids), ({ manifest_id }) => manifest_id);
    for (const ofOne of rows.values())
      for (const row of worstFirst(ofOne))
        for (const at of universe.found([placeOf(row)])) found.get(at)?.push(evidence(row));
  }
  return found;
}

function worstFirst(rows: readonly EvidenceRow[]): readonly EvidenceRow[] {
  const sorted = rows.toSorted((a, b) => rankOf(b) - rankOf(a) || Number(isFixed(b)) - Number(isFixed(a)));
  const told = new Set<string>();
  return sorted.filter((row) => {
    if (!row.flaw) return true;
    const key = JSON.stringify([row.repository_id ?? null, row.layer, row.path, row.purl, row.flaw]);
    return told.size < told.add(key).size;
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
