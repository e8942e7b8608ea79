import assert from 'node:assert/strict';
import { compareNumbers } from './tokens.ts';
import type { VersionScheme } from './version-scheme.ts';

/**
 * deb-version(7): `[epoch:]upstream[-revision]`. Epochs compare as numbers; the other two compare by alternating runs
 * of non-digits and digits, where `~` sorts before the end, the end before letters and letters before the rest.
 */
export const debianScheme: VersionScheme = {
  ecosystem: 'Debian',
  purlType: 'deb',
  compare: (a, b) => {
    const left = split(a);
    const right = split(b);
    return (
      compareNumbers(left.epoch, right.epoch) ||
      comparePart(left.upstream, right.upstream) ||
      comparePart(left.revision, right.revision)
    );
  },
  isValid: (version) => version.length <= 1_024 && pattern.test(version),
};

/** Only what has an epoch may have further colons. */
const pattern = /^(?:\d{1,10}:(?!-)[A-Za-z0-9.+~:-]*|(?!-)[A-Za-z0-9.+~-]*)[A-Za-z0-9.+~]$/;

function split(version: string): { epoch: string; upstream: string; revision: string } {
  assert(debianScheme.isValid(version), `'${version}' is not a Debian version`);
  const colon = version.indexOf(':');
  const epoch = colon === -1 ? '0' : version.slice(0, colon);
  const rest = colon === -1 ? version : version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return dash === -1
    ? { epoch, upstream: rest, revision: '' }
    : { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

function comparePart(a: string, b: string): number {
  let left = 0;
  let right = 0;
  while (left < a.length || right < b.length) {
    while ((left < a.length && !isDigit(a, left)) || (right < b.length && !isDigit(b, right))) {
      const difference = weight(a, left) - weight(b, right);
      if (difference !== 0) return difference;
      left++;
      right++;
    }
    const leftEnd = digitsEnd(a, left);
    const rightEnd = digitsEnd(b, right);
    const difference = compareNumbers(a.slice(left, leftEnd), b.slice(right, rightEnd));
    if (difference !== 0) return difference;
    left = leftEnd;
    right = rightEnd;
  }
  return 0;
}

/** A digit weighs as the end of the text does: it ends a run of non-digits. */
function weight(text: string, at: number): number {
  const char = text[at];
  if (char === undefined || isDigit(text, at)) return 0;
  if (char === '~') return -1;
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (isDigit(text, at)) at++;
  return at;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
