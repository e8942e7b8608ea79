import { endRank, type Token, tokenScheme } from './tokens.ts';

/**
 * Composer: up to four numbers, of which the missing ones are 0, or a date; then a stability with numbers of its own, then
 * `dev`. Branches (`dev-main`) have no order there and are no versions here; `2.x-dev` is newer than each of its line.
 */
export const packagistScheme = tokenScheme({
  ecosystem: 'Packagist',
  purlType: 'composer',
  parse: (text) => {
    const version = text.replace(/\+\S+$/, '');
    const branch = /^v?(\d{1,5}(?:\.\d+){0,2})\.[x*][.-]?dev$/i.exec(version);
    if (branch?.[1] !== undefined) return [...numbers(branch[1], '9999999'), { rank: rank.dev }];
    const match = numbered.exec(version) ?? dated.exec(version);
    if (match?.[1] === undefined) return undefined;
    const [, base, stability = '', digits = '', dev] = match;
    const release = numbered.test(version) ? numbers(base, '0') : plainNumbers(base);
    return [
      ...release,
      ...stabilityOf(stability, digits),
      ...(dev === undefined ? [] : [{ rank: rank.dev }]),
    ];
  },
});

const rank = { dev: -4, alpha: -3, beta: -2, candidate: -1, released: endRank, number: 1, patch: 2 } as const;

const suffix = '[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\\d+)*))?([.-]?dev)?$';
const numbered = new RegExp(`^v?(\\d{1,5}(?:\\.\\d+){0,3})${suffix}`, 'i');
const dated = new RegExp(`^v?(\\d{4}(?:[.:-]?\\d{2}){1,6}(?:[.:-]?\\d{1,3}){0,2})${suffix}`, 'i');

function numbers(base: string, missing: string): readonly Token[] {
  const given = base.split('.');
  return [...given, missing, missing, missing].slice(0, 4).map(number);
}

function plainNumbers(text: string): readonly Token[] {
  return (text.match(/\d+/g) ?? []).map(number);
}

function number(digits: string): Token {
  return { rank: rank.number, number: digits };
}

/** A stable release is as if nothing stood there, its numbers included. */
function stabilityOf(word: string, digits: string): readonly Token[] {
  const own = ranks[word.toLowerCase()];
  return own === undefined ? [] : [{ rank: own }, ...plainNumbers(digits)];
}

const ranks: Readonly<Record<string, number>> = {
  a: rank.alpha,
  alpha: rank.alpha,
  b: rank.beta,
  beta: rank.beta,
  rc: rank.candidate,
  p: rank.patch,
  pl: rank.patch,
  patch: rank.patch,
};
