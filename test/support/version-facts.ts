import { readFileSync } from 'node:fs';
import type { VersionScheme } from '../../src/versions/version-scheme.ts';

/** `A < B`, of test/fixtures/versions. */
export interface VersionFact {
  readonly a: string;
  readonly sign: string;
  readonly b: string;
}

export function versionFacts(file: string): readonly VersionFact[] {
  return readFileSync(new URL(`../fixtures/versions/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(versionFact);
}

export function versionFact(line: string): VersionFact {
  const [a = '', sign = '', b = ''] = line.split(' ');
  return { a, sign, b };
}

export function signOf(scheme: VersionScheme, a: string, b: string): string | undefined {
  return '<=>'[Math.sign(scheme.compare(a, b)) + 1];
}

/** `refused`: facts of which one side is no version of the scheme. `wrong`: facts as they are written. */
export function checkFacts(scheme: VersionScheme, facts: readonly VersionFact[]) {
  const usable = facts.filter(({ a, b }) => scheme.isValid(a) && scheme.isValid(b));
  return {
    used: usable.length,
    refused: facts.length - usable.length,
    wrong: usable
      .filter(({ a, sign, b }) => signOf(scheme, a, b) !== sign)
      .map(({ a, sign, b }) => `${a} ${sign} ${b}`),
  };
}
