import { schemeOfEcosystem } from '../schemes.ts';
import type { VersionScheme } from '../version-scheme.ts';
import type { OsvAdvisory, OsvAffected, OsvEvent, OsvRange } from './advisory.ts';

/** `unknown` is neither yes nor no, and never to be reported as clean; `reason` continues "whether it applies is unknown:". */
export type Verdict =
  /** `fixedIn` is the first version, going up, that no range of the entry covers; absent when no fix is known. */
  | { readonly verdict: 'affected'; readonly fixedIn?: string }
  | { readonly verdict: 'unaffected' }
  | { readonly verdict: 'unknown'; readonly reason: string };

/**
 * OSV schema, "Evaluation": a version is affected if it is listed in `versions`, or lies in a SEMVER or ECOSYSTEM range.
 * GIT ranges say nothing about versions. Of a version that the ecosystem's rules can't read, nobody knows where it lies,
 * nor which of the listed ones it was made of. That the package is the entry's, and that the advisory is not withdrawn,
 * the caller knows.
 *
 * @param scheme undefined where the ecosystem's versions can't be compared: then only `versions` decides
 */
export function isAffected(
  affected: OsvAffected,
  version: string,
  scheme: VersionScheme | undefined,
): Verdict {
  const ranges = affected.ranges.filter(({ type }) => type !== 'GIT');
  const order = scheme?.isValid(version)
    ? ranges.flatMap((range) => {
        const events = eventsInOrder(range, scheme);
        return events === undefined ? [] : [events];
      })
    : [];
  if (scheme !== undefined && order.some((events) => covers(events, version, scheme)))
    return found(fixAfter(order, version, scheme));
  if (affected.versions.includes(version)) return found(undefined);
  if (ranges.length === 0 && isListedOtherwise(affected.versions, version, scheme)) return found(undefined);
  if (order.length < ranges.length || (affected.versions.length > 0 && scheme?.isValid(version) === false))
    return { verdict: 'unknown', reason: uncomparable(version, scheme) };
  if (ranges.length === 0 && affected.versions.length === 0)
    return { verdict: 'unknown', reason: 'the advisory names no versions' };
  return { verdict: 'unaffected' };
}

/** Over all entries of the package: any that is affected decides, then any that is unknown. */
export function advisoryAffects(
  advisory: OsvAdvisory,
  subject: { readonly ecosystem: string; readonly name: string; readonly version: string },
): Verdict {
  if (advisory.withdrawn !== undefined) return { verdict: 'unaffected' };
  const entries = advisory.affected.filter(
    (entry) => entry.package?.ecosystem === subject.ecosystem && entry.package.name === subject.name,
  );
  const scheme = schemeOfEcosystem(subject.ecosystem);
  const verdicts = entries.map((entry) => isAffected(entry, subject.version, scheme));
  return (
    verdicts.find(({ verdict }) => verdict === 'affected') ??
    verdicts.find(({ verdict }) => verdict === 'unknown') ?? { verdict: 'unaffected' }
  );
}

/**
 * `1.0-RC1` of a package's own metadata is the `1.0rc1` that an advisory lists. Beside ranges a list only spells these
 * out, and is long.
 */
function isListedOtherwise(
  versions: readonly string[],
  version: string,
  scheme: VersionScheme | undefined,
): boolean {
  if (scheme === undefined || !scheme.isValid(version)) return false;
  const alike = listedByDigits(versions);
  const candidates = digitsOf(version).flatMap((digits) => alike.get(digits) ?? []);
  return candidates.some((listed) => scheme.isValid(listed) && scheme.compare(listed, version) === 0);
}

/** Of each list that was asked about, since it is asked about once for each version of the package that is here. */
const listsByDigits = new WeakMap<readonly string[], ReadonlyMap<string, readonly string[]>>();

function listedByDigits(versions: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const known = listsByDigits.get(versions);
  if (known) return known;
  const byDigits = new Map<string, string[]>();
  for (const listed of versions)
    for (const digits of digitsOf(listed)) {
      const some = byDigits.get(digits);
      if (some) some.push(listed);
      else byDigits.set(digits, [listed]);
    }
  listsByDigits.set(versions, byDigits);
  return byDigits;
}

/**
 * What two versions that are equal by whatever scheme have in common: all their digits but zeros, or those in front of a
 * `+`, behind which some schemes have what counts for nothing.
 */
function digitsOf(version: string): readonly string[] {
  const all = version.replace(/[^1-9]/g, '');
  const plus = version.indexOf('+');
  return plus === -1 ? [all] : [...new Set([all, version.slice(0, plus).replace(/[^1-9]/g, '')])];
}

function found(fixedIn: string | undefined): Verdict {
  return fixedIn === undefined ? { verdict: 'affected' } : { verdict: 'affected', fixedIn };
}

function uncomparable(version: string, scheme: VersionScheme | undefined): string {
  if (scheme === undefined) return 'the versions of this ecosystem cannot be compared yet';
  return scheme.isValid(version)
    ? `the advisory has a range that never begins, or is not of ${scheme.ecosystem} versions`
    : `'${version.slice(0, 100)}' is not a version of ${scheme.ecosystem}`;
}

/** `0` is before every version, and `*` after: they need not be versions of the scheme. */
function isComparable(range: OsvRange, scheme: VersionScheme): boolean {
  return range.events.every(({ version }) => version === '0' || version === '*' || scheme.isValid(version));
}

/** Of each range that was asked about, as of lists. */
const rangesInOrder = new WeakMap<
  OsvRange,
  { readonly scheme: VersionScheme; readonly events: readonly OsvEvent[] | undefined }
>();

/** undefined: it has what is no version of the scheme, or never begins, which the OSV schema rules out. */
function eventsInOrder(range: OsvRange, scheme: VersionScheme): readonly OsvEvent[] | undefined {
  const known = rangesInOrder.get(range);
  if (known?.scheme === scheme) return known.events;
  const begins = range.events.some(({ kind }) => kind === 'introduced');
  const events = begins && isComparable(range, scheme) ? sortEvents(range, scheme) : undefined;
  rangesInOrder.set(range, { scheme, events });
  return events;
}

/** At one version, what begins comes before what ends with it included. */
const rank = { introduced: 0, fixed: 1, lastAffected: 2, limit: 3 } as const;

function sortEvents(range: OsvRange, scheme: VersionScheme): readonly OsvEvent[] {
  const sorted = range.events.toSorted(
    (a, b) => compare(a.version, b.version, scheme) || rank[a.kind] - rank[b.kind],
  );
  return sorted.filter(
    (event, index) =>
      !cancels(event, sorted[index + 1], scheme) && !cancels(sorted[index - 1], event, scheme),
  );
}

/** Ended and begun at the same version is neither: two ranges that touch, or an empty one. */
function cancels(begin: OsvEvent | undefined, end: OsvEvent | undefined, scheme: VersionScheme): boolean {
  return (
    begin?.kind === 'introduced' && end?.kind === 'fixed' && compare(begin.version, end.version, scheme) === 0
  );
}

function covers(events: readonly OsvEvent[], version: string, scheme: VersionScheme): boolean {
  let inside = false;
  for (const event of events) {
    const order = compare(version, event.version, scheme);
    if (event.kind === 'introduced' && order >= 0) inside = true;
    else if (event.kind === 'fixed' && order >= 0) inside = false;
    else if (event.kind === 'lastAffected' && order > 0) inside = false;
  }
  const ends = events.filter(({ kind }) => kind === 'limit');
  return inside && (ends.length === 0 || ends.some((limit) => compare(version, limit.version, scheme) < 0));
}

/** A fix may itself lie in another range, whose fix is then the one; a bounded climb, since each step goes up. */
function fixAfter(
  ranges: readonly (readonly OsvEvent[])[],
  version: string,
  scheme: VersionScheme,
): string | undefined {
  let at = version;
  for (let step = 0; step < 64; step++) {
    const covering = ranges.filter((events) => covers(events, at, scheme));
    if (covering.length === 0) return at;
    let next: string | undefined;
    for (const events of covering) {
      const fix = events.find(
        (event) => event.kind === 'fixed' && compare(event.version, at, scheme) > 0,
      )?.version;
      if (fix === undefined) return undefined;
      if (next === undefined || compare(fix, next, scheme) > 0) next = fix;
    }
    if (next === undefined) return undefined;
    at = next;
  }
  return undefined;
}

function compare(a: string, b: string, scheme: VersionScheme): number {
  if (a === b) return 0;
  if (a === '0' || b === '*') return -1;
  if (b === '0' || a === '*') return 1;
  return scheme.compare(a, b);
}
