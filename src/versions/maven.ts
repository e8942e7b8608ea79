import assert from 'node:assert/strict';
import mvncmp from 'mvncmp';
import type { VersionScheme } from './version-scheme.ts';

/** Maven's ComparableVersion: any text is a version, so only what no repository has is refused. */
export const mavenScheme: VersionScheme = {
  ecosystem: 'Maven',
  purlType: 'maven',
  compare: (a, b) => {
    assert(isValid(a) && isValid(b), `'${isValid(a) ? b : a}' is not a version of Maven`);
    return mvncmp.compare(a, b);
  },
  isValid,
};

/** Short, since the comparison of what has many parts goes deep; `${revision}` is what a build left unfilled. */
function isValid(version: string): boolean {
  return version.length <= 256 && /^[^\s${}[\](),]+$/.test(version) && /[0-9a-z]/i.test(version);
}
