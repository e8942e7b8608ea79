import assert from 'node:assert/strict';
import semver from 'semver';
import type { VersionScheme } from './version-scheme.ts';

/**
 * Semantic versions as npm reads them loosely. Advisories and ranges also write `1` and `1.2`, which mean `1.0.0` and
 * `1.2.0` here; a published package never has such a version.
 */
export const npmScheme: VersionScheme = {
  ecosystem: 'npm',
  purlType: 'npm',
  compare: (a, b) => semver.compare(parsed(a), parsed(b)),
  isValid: (version) => parse(version) !== null,
};

function parsed(version: string): semver.SemVer {
  const found = parse(version);
  assert(found !== null, `'${version}' is not an npm version`);
  return found;
}

function parse(version: string): semver.SemVer | null {
  const short = /^v?(\d+)(?:\.(\d+))?([-+][0-9A-Za-z.+-]+)?$/.exec(version);
  const full = short === null ? version : `${short[1]}.${short[2] ?? 0}.0${short[3] ?? ''}`;
  return semver.parse(full, { loose: true });
}
