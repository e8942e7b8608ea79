import { endRank, type Token, tokenScheme } from './tokens.ts';

/**
 * rpm-version(7): `[epoch:]version[-release]`. Version and release are runs of digits, runs of letters, `~` (older than
 * the end) and `^` (newer than the end, older than all else); the other characters that rpm's own build takes only
 * separate. An advisory that leaves the release away means the oldest one.
 */
export const rpmScheme = tokenScheme({
  ecosystem: 'RPM',
  purlType: 'rpm',
  parse: (text) => {
    const match = /^(?:(\d{1,10}):)?([\w.+~^%{}]+)(?:-([\w.+~^%{}]+))?$/.exec(text);
    if (match === null) return undefined;
    const [, epoch = '0', version = '', release = ''] = match;
    return [{ rank: rank.digits, number: epoch }, ...parts(version), { rank: endRank }, ...parts(release)];
  },
});

const rank = { tilde: -1, caret: 1, letters: 2, digits: 3 } as const;

function parts(text: string): readonly Token[] {
  return (text.match(/\d+|[A-Za-z]+|[~^]/g) ?? []).map((part) => {
    if (part === '~') return { rank: rank.tilde };
    if (part === '^') return { rank: rank.caret };
    return /^\d/.test(part) ? { rank: rank.digits, number: part } : { rank: rank.letters, text: part };
  });
}
