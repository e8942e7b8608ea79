import assert from 'node:assert/strict';
import { compare, valid } from '@renovatebot/pep440';
import type { VersionScheme } from './version-scheme.ts';

/** PEP 440. What older packages wrote freely (`1.0-final-x`) has no order there, and is no version here. */
export const pypiScheme: VersionScheme = {
  ecosystem: 'PyPI',
  purlType: 'pypi',
  compare: (a, b) => {
    assert(isValid(a) && isValid(b), `'${isValid(a) ? b : a}' is not a version of PyPI`);
    return compare(a, b);
  },
  isValid,
};

/** The library counts with the language's numbers, which round from 17 digits on. */
function isValid(version: string): boolean {
  return version.length <= 512 && !/\d{16}/.test(version) && valid(version) !== null;
}
