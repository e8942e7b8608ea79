import { alpineScheme } from './alpine.ts';
import { debianScheme } from './debian.ts';
import { cranScheme, hackageScheme } from './dotted.ts';
import { mavenScheme } from './maven.ts';
import { nugetScheme } from './nuget.ts';
import { packagistScheme } from './packagist.ts';
import { pypiScheme } from './pypi.ts';
import { rpmScheme } from './rpm.ts';
import { rubygemsScheme } from './rubygems.ts';
import {
  bitnamiScheme,
  cratesScheme,
  genericScheme,
  goScheme,
  hexScheme,
  npmScheme,
  pubScheme,
} from './semver.ts';
import type { VersionScheme } from './version-scheme.ts';

/** Every scheme there is; a distribution that compares as another one does is listed under its own name. */
export const versionSchemes: ReadonlyMap<string, VersionScheme> = new Map([
  ['npm', npmScheme],
  ['PyPI', pypiScheme],
  ['Maven', mavenScheme],
  ['Go', goScheme],
  ['RubyGems', rubygemsScheme],
  ['crates.io', cratesScheme],
  ['Packagist', packagistScheme],
  ['NuGet', nugetScheme],
  ['Hex', hexScheme],
  ['Pub', pubScheme],
  ['CRAN', cranScheme],
  ['Hackage', hackageScheme],
  ['Bitnami', bitnamiScheme],
  ['generic', genericScheme],

  ['Debian', debianScheme],
  ['Ubuntu', debianScheme],

  ['Alpine', alpineScheme],
  ['Alpaquita', alpineScheme],
  ['Chainguard', alpineScheme],
  ['MinimOS', alpineScheme],
  ['Wolfi', alpineScheme],

  ['AlmaLinux', rpmScheme],
  ['Rocky Linux', rpmScheme],
  ['Red Hat', rpmScheme],
  ['SUSE', rpmScheme],
  ['openSUSE', rpmScheme],
  ['Azure Linux', rpmScheme],
  ['Mageia', rpmScheme],
  ['openEuler', rpmScheme],
  ['Photon OS', rpmScheme],
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
