/**
 * What is particular to each distribution: how OSV names its releases, and whether its advisories name source or binary
 * packages (OSV schema, "Defined Ecosystems", and what the databases do). Packages of one that is not listed have no
 * ecosystem: nobody can know which advisories apply to them.
 */
import { PackageURL } from 'packageurl-js';

/** os-release(5): `ID`, `VERSION_ID`, `PRETTY_NAME`. */
export interface Release {
  readonly id: string;
  readonly versionId?: string;
  readonly prettyName?: string;
}

interface Distribution {
  /** OSV's name of the ecosystem, without a release. */
  readonly ecosystem: string;
  /** What OSV puts behind the colon; undefined while it can't be told. `none`: this ecosystem has no releases. */
  readonly release: 'none' | ((release: Release) => string | undefined);
  /** Which packages advisories name. */
  readonly advisoriesName: 'source' | 'binary';
  /** In purls, where it is not the distribution's id. */
  readonly namespace?: string;
}

type PackageOfDistribution = { readonly purl: string; readonly ecosystem: string };

const distributions: Readonly<Record<string, Distribution>> = {
  debian: { ecosystem: 'Debian', release: versionId, advisoriesName: 'source' },
  ubuntu: { ecosystem: 'Ubuntu', release: ubuntuRelease, advisoriesName: 'source' },

  alpine: { ecosystem: 'Alpine', release: alpineRelease, advisoriesName: 'source' },
  alpaquita: { ecosystem: 'Alpaquita', release: versionId, advisoriesName: 'source' },
  chainguard: { ecosystem: 'Chainguard', release: 'none', advisoriesName: 'source' },
  minimos: { ecosystem: 'MinimOS', release: 'none', advisoriesName: 'source' },
  wolfi: { ecosystem: 'Wolfi', release: 'none', advisoriesName: 'source' },

  almalinux: { ecosystem: 'AlmaLinux', release: major, advisoriesName: 'binary' },
  rocky: { ecosystem: 'Rocky Linux', release: major, advisoriesName: 'source' },
  rhel: { ecosystem: 'Red Hat', release: redHatRelease, advisoriesName: 'binary', namespace: 'redhat' },
  sles: { ecosystem: 'SUSE', release: suseRelease, advisoriesName: 'source', namespace: 'suse' },
  'opensuse-leap': openSuse(),
  'opensuse-tumbleweed': openSuse(),
  azurelinux: { ecosystem: 'Azure Linux', release: major, advisoriesName: 'source' },
  mariner: { ecosystem: 'Azure Linux', release: major, advisoriesName: 'source' },
  mageia: { ecosystem: 'Mageia', release: versionId, advisoriesName: 'source' },
  openeuler: { ecosystem: 'openEuler', release: openEulerRelease, advisoriesName: 'source' },
  photon: { ecosystem: 'Photon OS', release: versionId, advisoriesName: 'binary' },
};

/** How each kind of database is spoken of, and whose packages it holds where the image does not say. */
const databases: Readonly<Record<string, { readonly word: string; readonly usual: string | undefined }>> = {
  deb: { word: 'Debian', usual: 'debian' },
  apk: { word: 'Alpine', usual: 'alpine' },
  rpm: { word: 'RPM', usual: undefined },
};

const byEcosystem = new Map(Object.values(distributions).map((one) => [one.ecosystem, one]));

/**
 * A distribution's package is distinct by distribution and release, since the same version is vulnerable in one and fixed
 * in another. Neither is in the package's own database: os-release says it, of the same layer or of another one of the
 * image. Then the purl gets its namespace and the qualifier `distro`, and the ecosystem its release (`Debian:12`). Until
 * then the purl names the usual distribution of its format, and no advisory applies. Other packages stay as they are.
 */
export function ofRelease<T extends PackageOfDistribution>(found: T, release: Release | undefined): T {
  const database = databases[typeOf(found.purl)];
  if (database === undefined) return found;
  const { type, name, version, qualifiers, subpath } = PackageURL.fromString(found.purl);
  const id = release?.id ?? database.usual;
  const distribution = id === undefined ? undefined : distributions[id];
  const purl = new PackageURL(
    type,
    distribution?.namespace ?? id,
    name,
    version,
    release === undefined ? qualifiers : { ...qualifiers, distro: distroOf(release) },
    subpath,
  );
  return { ...found, purl: purl.toString(), ecosystem: ecosystemOf(distribution, release) };
}

/** Whether advisories can be matched with it, as far as its ecosystem decides that. */
export function hasRelease({ purl, ecosystem }: PackageOfDistribution): boolean {
  if (databases[typeOf(purl)] === undefined) return true;
  return ecosystem.includes(':') || byEcosystem.get(ecosystem)?.release === 'none';
}

/** `Debian`, `Alpine`, `RPM`: of what kind a distribution's package is. */
export function databaseWord(purl: string): string {
  return databases[typeOf(purl)]?.word ?? typeOf(purl);
}

/**
 * The ecosystem by which an advisory is matched. Red Hat's and SUSE's advisories are of the product that a package comes
 * in (`Red Hat:enterprise_linux:9::appstream`, `SUSE:Linux Enterprise Module for Basesystem 15 SP5`), which no database in
 * an image says, while a package of one name is built alike for all products of a release: they are taken for the
 * release's. Products of another life (`rhel_eus`, `Linux Enterprise Micro`) stay what they are, and match nothing.
 */
export function matchedEcosystem(ecosystem: string): string {
  return ecosystem
    .replace(/^(Red Hat:enterprise_linux:\d+)(?:\.\d+)?(?:::.*)?$/, '$1')
    .replace(/^SUSE:Linux Enterprise (?:.* )?(\d+(?: SP\d+)?)(?:-[\w-]+)?$/, 'SUSE:Linux Enterprise $1');
}

/** Whether the advisories of an ecosystem, with or without its release, name source packages. */
export function namesSources(ecosystem: string): boolean {
  return byEcosystem.get(ecosystem.split(':', 1)[0] ?? ecosystem)?.advisoriesName === 'source';
}

/** `Rocky Linux 9.3`: as people say it. */
export function releaseName({
  id,
  versionId: version,
  codename,
}: Release & { readonly codename?: string }): string {
  return [distributions[id]?.ecosystem ?? id, version ?? codename]
    .filter((part) => part !== undefined)
    .join(' ');
}

function typeOf(purl: string): string {
  return purl.slice('pkg:'.length, purl.indexOf('/'));
}

function distroOf({ id, versionId: version }: Release): string {
  return version === undefined ? id : `${id}-${version}`;
}

function ecosystemOf(distribution: Distribution | undefined, release: Release | undefined): string {
  if (distribution === undefined) return '';
  const { ecosystem, release: releaseOf } = distribution;
  const suffix = releaseOf === 'none' || release === undefined ? undefined : releaseOf(release);
  return suffix === undefined ? ecosystem : `${ecosystem}:${suffix}`;
}

function versionId({ versionId: version }: Release): string | undefined {
  return version;
}

/** `9` of `9.3`. */
function major({ versionId: version }: Release): string | undefined {
  return version?.split('.', 1)[0];
}

/** Releases of April in even years are the long-term ones. */
function ubuntuRelease({ versionId: version }: Release): string | undefined {
  return version !== undefined && /^\d?[02468]\.04$/.test(version) ? `${version}:LTS` : version;
}

/** `v3.18` of `3.18.4`; what is between two releases has a version such as `3.21_alpha20240923`. */
function alpineRelease({ versionId: version }: Release): string | undefined {
  if (version?.includes('_alpha')) return 'edge';
  const match = /^(\d+\.\d+)(?:\.|$)/.exec(version ?? '');
  return match?.[1] === undefined ? undefined : `v${match[1]}`;
}

function openSuse(): Distribution {
  return {
    ecosystem: 'openSUSE',
    release: ({ prettyName }) => /^openSUSE (.+)$/.exec(prettyName ?? '')?.[1],
    advisoriesName: 'source',
    namespace: 'opensuse',
  };
}

/** `22.03-LTS-SP3` of `openEuler 22.03 (LTS-SP3)`. */
function openEulerRelease({ prettyName }: Release): string | undefined {
  const match = /^openEuler (\S+)(?: \((\S+)\))?$/.exec(prettyName ?? '');
  return match === null
    ? undefined
    : match
        .slice(1)
        .filter((part) => part !== undefined)
        .join('-');
}

/** `enterprise_linux:9` of `9.4`: as `matchedEcosystem` folds it. */
function redHatRelease(release: Release): string | undefined {
  const version = major(release);
  return version === undefined ? undefined : `enterprise_linux:${version}`;
}

/** `Linux Enterprise 15 SP5` of `15.5`: as `matchedEcosystem` folds it. */
function suseRelease({ versionId: version }: Release): string | undefined {
  const [, base, pack] = /^(\d+)(?:\.(\d+))?$/.exec(version ?? '') ?? [];
  if (base === undefined) return undefined;
  return pack === undefined || pack === '0'
    ? `Linux Enterprise ${base}`
    : `Linux Enterprise ${base} SP${pack}`;
}
