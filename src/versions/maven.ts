import assert from 'node:assert/strict';
import type { VersionScheme } from './version-scheme.ts';

/** Maven's ComparableVersion: any text is a version, so only what no repository has is refused. */
export const mavenScheme: VersionScheme = {
  ecosystem: 'Maven',
  purlType: 'maven',
  compare: (a, b) => {
    assert(isValid(a) && isValid(b), `'${isValid(a) ? b : a}' is not a version of Maven`);
    return compareItems(parse(a), parse(b));
  },
  isValid,
};

/** Short, since the comparison of what has many parts goes deep; `${revision}` is what a build left unfilled. */
function isValid(version: string): boolean {
  return version.length <= 256 && /^[^\s${}[\](),]+$/.test(version) && /[0-9a-z]/i.test(version);
}

/**
 * A number, a word, or a list: one begins at a dash, between digits and letters, and at a word that no separator follows.
 */
type Item = bigint | string | Item[];

/** Words older than a release, the release, and what mends one; any other word is newer than all of these. */
const knownWords = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const aliases: Readonly<Record<string, string>> = { ga: '', final: '', release: '', cr: 'rc' };
/** Only directly in front of a number. */
const letters: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', m: 'milestone' };

function parse(version: string): Item[] {
  const root: Item[] = [];
  const lists = [root];
  let list = root;
  const descend = () => {
    const below: Item[] = [];
    list.push(below);
    lists.push(below);
    list = below;
  };
  const parts = version.toLowerCase().match(/\d+|[^\d.-]+|[.-]/g) ?? [];
  for (const [at, part] of parts.entries()) {
    const before = parts[at - 1];
    const afterItem = before !== undefined && !isSeparator(before);
    if (isSeparator(part)) {
      if (!afterItem) list.push(0n);
      if (part === '-') descend();
    } else if (isNumber(part)) {
      if (afterItem) descend();
      list.push(BigInt(part));
    } else {
      const next = parts[at + 1];
      if (afterItem || (list.length > 0 && (next === undefined || isNumber(next)))) descend();
      list.push(wordOf(part, next !== undefined && isNumber(next)));
    }
  }
  for (const one of lists.reverse()) dropEmptyEnd(one);
  return root;
}

function isSeparator(part: string): boolean {
  return part === '.' || part === '-';
}

function isNumber(part: string): boolean {
  return /^\d/.test(part);
}

function wordOf(word: string, beforeNumber: boolean): string {
  if (beforeNumber) return letters[word] ?? aliases[word] ?? word;
  return aliases[word] ?? word;
}

/** `1.0.0` is `1`, and so is `1-ga`; looks past lists that hold something. */
function dropEmptyEnd(list: Item[]): void {
  for (let at = list.length - 1; at >= 0; at--) {
    const item = list[at];
    if (item === 0n || item === '' || (Array.isArray(item) && item.length === 0)) list.splice(at, 1);
    else if (!Array.isArray(item)) return;
  }
}

/** What is not there is as good as 0, or as the word of a release; else numbers are newer than lists, and these than words. */
function compareItems(a: Item | undefined, b: Item | undefined): number {
  if (Array.isArray(a) && (b === undefined || Array.isArray(b))) return compareLists(a, b ?? []);
  if (Array.isArray(b) && a === undefined) return -compareLists(b, []);
  if (typeof a === 'string' || typeof b === 'string') {
    if (isWordOrNothing(a) && isWordOrNothing(b)) return compareWords(a ?? '', b ?? '');
  } else if (!Array.isArray(a) && !Array.isArray(b)) return Number((a ?? 0n) - (b ?? 0n));
  return kindRank(a) - kindRank(b);
}

function compareLists(a: readonly Item[], b: readonly Item[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareItems(a[at], b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function isWordOrNothing(item: Item | undefined): item is string | undefined {
  return item === undefined || typeof item === 'string';
}

function kindRank(item: Item | undefined): number {
  return typeof item === 'string' ? 0 : Array.isArray(item) ? 1 : 2;
}

function compareWords(a: string, b: string): number {
  const left = wordRank(a);
  const right = wordRank(b);
  if (left !== right || left < knownWords.length) return left - right;
  return a < b ? -1 : a > b ? 1 : 0;
}

function wordRank(word: string): number {
  const known = knownWords.indexOf(word);
  return known === -1 ? knownWords.length : known;
}
