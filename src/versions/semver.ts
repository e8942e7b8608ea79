import assert from 'node:assert/strict';
import semver from 'semver';
import type { VersionScheme } from './version-scheme.ts';

interface SemverEcosystem {
  readonly ecosystem: string;
  readonly purlType: string;
  /** Whether what follows `+` orders versions that are alike before it. */
  readonly ordersBuilds?: boolean;
}

/**
 * Semantic versions, read loosely. Advisories and ranges also write `1` and `1.2`, which mean `1.0.0` and `1.2.0` here; a
 * published package never has such a version. A leading `v`, which Go's modules have and its advisories have not, counts
 * for nothing, and neither does what follows `+`, but for Dart's.
 */
function semverScheme({ ecosystem, purlType, ordersBuilds = false }: SemverEcosystem): VersionScheme {
  const parsed = (version: string) => {
    const found = parse(version);
    assert(found !== null, `'${version}' is not a version of ${ecosystem}`);
    return found;
  };
  const order = (a: semver.SemVer, b: semver.SemVer) =>
    semver.compare(a, b) || (ordersBuilds ? a.compareBuild(b) : 0);
  return {
    ecosystem,
    purlType,
    compare: (a, b) => order(parsed(a), parsed(b)),
    isValid: (version) => parse(version) !== null,
  };
}

export const npmScheme = semverScheme({ ecosystem: 'npm', purlType: 'npm' });
export const goScheme = semverScheme({ ecosystem: 'Go', purlType: 'golang' });
export const cratesScheme = semverScheme({ ecosystem: 'crates.io', purlType: 'cargo' });
export const hexScheme = semverScheme({ ecosystem: 'Hex', purlType: 'hex' });
export const pubScheme = semverScheme({ ecosystem: 'Pub', purlType: 'pub', ordersBuilds: true });
export const bitnamiScheme = semverScheme({ ecosystem: 'Bitnami', purlType: 'bitnami' });
/** Of programs that are in no ecosystem, as far as their versions look like these. */
export const genericScheme = semverScheme({ ecosystem: 'generic', purlType: 'generic' });

function parse(version: string): semver.SemVer | null {
  const short = /^v?(\d+)(?:\.(\d+))?([-+][0-9A-Za-z.+-]+)?$/.exec(version);
  const full = short === null ? version : `${short[1]}.${short[2] ?? 0}.0${short[3] ?? ''}`;
  return semver.parse(full, { loose: true });
}
