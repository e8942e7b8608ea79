import type { OsvAffected } from '../../versions/osv/advisory.ts';
import { isAffected } from '../../versions/osv/affects.ts';
import type { SeverityRating } from '../../versions/osv/severity.ts';
import { schemeOfEcosystem } from '../../versions/schemes.ts';

/** An `affected` entry as it is kept: what decides, and how bad it is. */
export interface AffectedEntry {
  readonly ecosystem: string;
  readonly name: string;
  /** JSON of `Decisive`. */
  readonly affected: string;
  readonly severity: SeverityRating['level'];
}

type Decisive = Pick<OsvAffected, 'ranges' | 'versions'>;

export interface Judgement {
  readonly verdict: 'affected' | 'unknown';
  readonly fixedVersion: string | null;
  readonly severity: SeverityRating['level'];
}

export function affectedText({ ranges, versions }: OsvAffected): string {
  const decisive: Decisive = { ranges, versions };
  return JSON.stringify(decisive);
}

/** What an advisory's entries for one package say about one version: an entry that applies outweighs one that can't tell. */
export function judge(entries: readonly AffectedEntry[], version: string): Judgement | undefined {
  const judged = entries.flatMap((entry) => judgeEntry(entry, version));
  const decisive = judged.filter(({ verdict }) => verdict === 'affected');
  const [first] = decisive.length > 0 ? decisive : judged;
  return (
    first && {
      ...first,
      severity: worst((decisive.length > 0 ? decisive : judged).map((one) => one.severity)),
    }
  );
}

function judgeEntry(entry: AffectedEntry, version: string): Judgement[] {
  const decisive: Decisive = JSON.parse(entry.affected);
  const scheme = schemeOfEcosystem(entry.ecosystem);
  const found = isAffected({ ...decisive, severity: [] }, version, scheme);
  if (found.verdict === 'unaffected') return [];
  const fixedVersion = found.verdict === 'affected' ? (found.fixedIn ?? null) : null;
  return [{ verdict: found.verdict, fixedVersion, severity: entry.severity }];
}

const order: readonly SeverityRating['level'][] = ['unknown', 'none', 'low', 'medium', 'high', 'critical'];

/** The highest; a rating outweighs none given. */
export function worst(levels: readonly SeverityRating['level'][]): SeverityRating['level'] {
  return levels.reduce((a, b) => (order.indexOf(a) >= order.indexOf(b) ? a : b), 'unknown');
}
