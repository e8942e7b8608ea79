import { debianScheme } from './debian.ts';
import { mavenScheme } from './maven.ts';
import { bitnamiScheme, cratesScheme, genericScheme, goScheme, npmScheme } from './semver.ts';
import type { VersionScheme } from './version-scheme.ts';

/** Every scheme there is; a distribution that compares as another one does is listed under its own name. */
export const versionSchemes: ReadonlyMap<string, VersionScheme> = new Map([
  ['npm', npmScheme],
  ['Maven', mavenScheme],
  ['Go', goScheme],
  ['crates.io', cratesScheme],
  ['Bitnami', bitnamiScheme],
  ['generic', genericScheme],
  ['Debian', debianScheme],
  ['Ubuntu', debianScheme],
]);

/** @param ecosystem as OSV writes it, with or without its release: `Debian:12` */
export function schemeOfEcosystem(ecosystem: string): VersionScheme | undefined {
  return versionSchemes.get(ecosystem.split(':', 1)[0] ?? ecosystem);
}

/** @param type of a purl: `npm`, `deb` */
export function schemeOfPurlType(type: string): VersionScheme | undefined {
  for (const scheme of versionSchemes.values()) if (scheme.purlType === type) return scheme;
  return undefined;
}
