import { type Token, tokenScheme } from './tokens.ts';

/**
 * Gem::Version: runs of digits and of letters, where letters are a pre-release and so below a number, `-` means `.pre.`,
 * and zeros at the end of the numbers, or of all, count for nothing. `1.0.a` is `1.a`.
 */
export const rubygemsScheme = tokenScheme({
  ecosystem: 'RubyGems',
  purlType: 'gem',
  parse: (version) => {
    if (!/^\d+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/.test(version)) return undefined;
    const parts = version.replaceAll('-', '.pre.').match(/\d+|[A-Za-z]+/g) ?? [];
    const letters = parts.findIndex((part) => !isNumber(part));
    const release = letters === -1 ? parts : parts.slice(0, letters);
    return [...withoutZeros(release), ...withoutZeros(parts.slice(release.length))].map(token);
  },
});

function isNumber(part: string): boolean {
  return /^\d/.test(part);
}

function withoutZeros(parts: readonly string[]): readonly string[] {
  const last = parts.findLastIndex((part) => !/^0+$/.test(part));
  return parts.slice(0, last + 1);
}

/** A part that is not there counts as the number 0, which so has the rank of the end. */
function token(part: string): Token {
  if (!isNumber(part)) return { rank: -1, text: part };
  return /^0+$/.test(part) ? { rank: 0 } : { rank: 1, number: part };
}
