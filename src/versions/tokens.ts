import assert from 'node:assert/strict';
import type { VersionScheme } from './version-scheme.ts';

/**
 * Most ecosystems read a version as a list of parts, each of a kind. Where two lists differ first, the ranks of the kinds
 * decide (the end of a list has one too: a pre-release is below it), then the numbers or texts of parts of one kind.
 */
export interface Token {
  readonly rank: number;
  /** Digits; of any length, so not a number of the language's. */
  readonly number?: string;
  readonly text?: string;
}

/** The end of the shorter list; kinds below it make a version older by being there, kinds above it newer. */
export const endRank = 0;

interface TokenEcosystem {
  readonly ecosystem: string;
  readonly purlType: string;
  /** Undefined for what is no version there. Never called with a long text. */
  parse(version: string): readonly Token[] | undefined;
}

export function tokenScheme({ ecosystem, purlType, parse }: TokenEcosystem): VersionScheme {
  const parsed = (version: string) => (version.length <= lengthMax ? parse(version) : undefined);
  const tokensOf = (version: string) => {
    const tokens = parsed(version);
    assert(tokens !== undefined, `'${version}' is not a version of ${ecosystem}`);
    return tokens;
  };
  return {
    ecosystem,
    purlType,
    compare: (a, b) => compareTokens(tokensOf(a), tokensOf(b)),
    isValid: (version) => parsed(version) !== undefined,
  };
}

/** Of any length, without rounding; no digits count as 0. */
export function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return left.length - right.length || compareText(left, right);
}

/** No version that was ever published comes near. */
const lengthMax = 512;
const end: Token = { rank: endRank };

function compareTokens(a: readonly Token[], b: readonly Token[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareToken(a[at] ?? end, b[at] ?? end);
    if (order !== 0) return order;
  }
  return 0;
}

function compareToken(a: Token, b: Token): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.number !== undefined && b.number !== undefined) return compareNumbers(a.number, b.number);
  return compareText(a.text ?? '', b.text ?? '');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
