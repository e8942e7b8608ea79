import type { OsvAffected } from '../../versions/osv/advisory.ts';
import { isAffected, type Verdict } from '../../versions/osv/affects.ts';
import type { SeverityRating } from '../../versions/osv/severity.ts';
import { schemeOfEcosystem } from '../../versions/schemes.ts';

/** An `affected` entry as it is kept: what decides, and how bad it is. */
export interface AffectedEntry {
  readonly ecosystem: string;
  readonly name: string;
  /** JSON of `Decisive`, or of `Unreadable`. */
  readonly affected: string;
  readonly severity: SeverityRating['level'];
}

type Decisive = Pick<OsvAffected, 'ranges' | 'versions'>;

/** Of a broken document that names the package: nobody knows which versions it means. */
interface Unreadable {
  readonly unreadable: string;
}

export interface Judgement {
  readonly verdict: 'affected' | 'unknown';
  readonly fixedVersion: string | null;
  readonly severity: SeverityRating['level'];
}

export function affectedText({ ranges, versions }: OsvAffected): string {
  const decisive: Decisive = { ranges, versions };
  return JSON.stringify(decisive);
}

export function unreadableText(reason: string): string {
  const unreadable: Unreadable = { unreadable: reason };
  return JSON.stringify(unreadable);
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
  const found = verdictOf(entry, version);
  if (found.verdict === 'unaffected') return [];
  const fixedVersion = found.verdict === 'affected' ? (found.fixedIn ?? null) : null;
  return [{ verdict: found.verdict, fixedVersion, severity: entry.severity }];
}

/** What one entry says about one version. */
export function verdictOf(entry: Pick<AffectedEntry, 'ecosystem' | 'affected'>, version: string): Verdict {
  const kept = keptOf(entry.affected);
  if ('unreadable' in kept)
    return { verdict: 'unknown', reason: `the advisory can't be read: ${kept.unreadable}` };
  return isAffected({ ...kept, severity: [] }, version, schemeOfEcosystem(entry.ecosystem));
}

/** The last one that was read: an entry is asked about each version of its package that is here, and may be long. */
let lastRead: { readonly text: string; readonly kept: Decisive | Unreadable } | undefined;

function keptOf(text: string): Decisive | Unreadable {
  if (lastRead?.text !== text) lastRead = { text, kept: JSON.parse(text) };
  return lastRead.kept;
}

/**
 * `introduced 0, fixed 4.17.21; or one of 97 versions: 4.17.20 and others`, at most so long. Of a long list the version
 * that is asked about comes first, if it is in it.
 */
export function affectedWords(
  { affected }: Pick<AffectedEntry, 'affected'>,
  { version, lengthMax }: { readonly version: string; readonly lengthMax: number },
): string {
  const kept: Decisive | Unreadable = JSON.parse(affected);
  if ('unreadable' in kept) return 'what can not be read';
  const ranges = kept.ranges.map(({ type, events }) => {
    const words = events.map(({ kind, version: bound }) => `${eventWords[kind]} ${bound}`).join(', ');
    return type === 'GIT' ? `commits (${words})` : words;
  });
  const { versions } = kept;
  const listed = versions.length === 0 ? [] : [listedWords(versions, version)];
  const text = [...ranges, ...listed].join('; or ') || 'no versions';
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

function listedWords(versions: readonly string[], version: string): string {
  if (versions.length <= listedMax) return `versions ${versions.join(', ')}`;
  const [first = ''] = versions.includes(version) ? [version] : versions;
  return `one of ${versions.length} versions: ${first} and others`;
}

const listedMax = 5;

const eventWords = {
  introduced: 'introduced',
  fixed: 'fixed',
  lastAffected: 'last affected',
  limit: 'limit',
} as const;

const order: readonly SeverityRating['level'][] = ['unknown', 'none', 'low', 'medium', 'high', 'critical'];

/** The highest; a rating outweighs none given. */
export function worst(levels: readonly SeverityRating['level'][]): SeverityRating['level'] {
  return levels.reduce((a, b) => (order.indexOf(a) >= order.indexOf(b) ? a : b), 'unknown');
}
