import { type Token, tokenScheme } from './tokens.ts';

/**
 * apk-package(5): `number{.number}[letter]{_suffix[number]}[~hash][-rN]`. Where two versions first differ in the kind of a
 * part, one that begins a pre-release (`_rc`) is the oldest, then the one that has ended, then by how far back in this
 * form the part stands.
 */
export const alpineScheme = tokenScheme({
  ecosystem: 'Alpine',
  purlType: 'apk',
  parse: (version) => {
    const match = form.exec(version);
    if (match === null) return undefined;
    const [, first = '', numbers = '', letter, suffixes = '', hash, revision] = match;
    return [
      { rank: rank.number, number: first },
      ...split(numbers, /\d+/g).map(laterNumber),
      ...optional(letter, (text) => ({ rank: rank.letter, text })),
      ...split(suffixes, /[a-z]+|\d+/g).map(suffixPart),
      ...optional(hash, (text) => ({ rank: rank.hash, text })),
      ...optional(revision, (number) => ({ rank: rank.revision, number })),
    ];
  },
});

const pre = ['alpha', 'beta', 'pre', 'rc'];
const post = ['cvs', 'svn', 'git', 'hg', 'p'];
const form = new RegExp(
  `^(\\d+)((?:\\.\\d+)*)([a-z])?((?:_(?:${[...pre, ...post].join('|')})\\d*)*)(?:~([0-9a-f]+))?(?:-r(\\d+))?$`,
);

/** From the last place of the form to the first. */
const rank = {
  preSuffix: -1,
  revision: 1,
  hash: 2,
  suffixNumber: 3,
  suffix: 4,
  letter: 5,
  number: 6,
} as const;

/** With a leading zero it is a fraction: 1.05 is before 1.1. */
function laterNumber(digits: string): Token {
  return digits.startsWith('0')
    ? { rank: rank.number, text: digits }
    : { rank: rank.number, number: digits, text: digits };
}

function suffixPart(part: string): Token {
  if (/^\d/.test(part)) return { rank: rank.suffixNumber, number: part };
  if (pre.includes(part)) return { rank: rank.preSuffix, number: String(pre.indexOf(part)) };
  return { rank: rank.suffix, number: String(post.indexOf(part)) };
}

function split(text: string, part: RegExp): readonly string[] {
  return text.match(part) ?? [];
}

function optional(text: string | undefined, token: (text: string) => Token): readonly Token[] {
  return text === undefined ? [] : [token(text)];
}
