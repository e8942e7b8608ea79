/**
 * Which packages a jar is, and holds. Maven leaves in each jar, at `META-INF/maven/GROUP/ARTIFACT/`, what it is; in an
 * uber-jar there is one such folder for each jar that went into it. Where the jar itself is in none of them its manifest
 * is asked, and where that has no version, the name of its file; a package known by that alone has `from=file_name` in
 * its purl. What has a name but no group is no package of Maven that advisories could name: its purl is `generic`.
 */
import { PackageURL } from 'packageurl-js';
import { mavenScheme } from '../../../versions/maven.ts';
import type { ExtractedPackage } from '../../extractor.ts';
import { bundleLicences, licenceOf } from './jar-licence.ts';
import { knownJar } from './known-jars.ts';
import { parseManifest } from './manifest.ts';
import { type Pom, parsePomProperties, parsePomXml } from './pom.ts';

export interface Jar {
  /** Without folders: `log4j-1.2.17.jar`. */
  readonly fileName: string;
  /** By path in the jar, of those that `isJarMetadata` asks for. */
  readonly metadata: ReadonlyMap<string, string>;
}

export interface JarPackages {
  readonly packages: readonly ExtractedPackage[];
  readonly problem?: string;
}

const manifestPath = /^META-INF\/MANIFEST\.MF$/i;
const pomPath =
  /^(?:(?:BOOT|WEB)-INF\/classes\/)?META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.(?:properties|xml)$/;

export function isJarMetadata(path: string): boolean {
  return path.includes('META-INF/') && (pomPath.test(path) || manifestPath.test(path));
}

export function jarPackages({ fileName, metadata }: Jar): JarPackages {
  const { poms, problem } = readPoms(metadata);
  const manifest = readManifest(metadata);
  const name = splitName(fileName, manifestVersions(manifest));
  const own = ownPom(poms, name.stem);
  const license = licenceOf(
    own?.licenses.length ? own.licenses : bundleLicences(manifest.get('bundle-license')),
  );
  const withLicense = license === undefined ? {} : { license };
  const packages = poms.map((pom) => ({ ...mavenPackage(pom), ...(pom === own ? withLicense : {}) }));
  if (own === undefined) {
    const itself = byManifest(manifest, name, poms.length > 0) ?? byFileName(name);
    if (itself !== undefined) packages.push({ ...itself, ...withLicense });
  }
  return { packages: distinct(packages), ...(problem === undefined ? {} : { problem }) };
}

interface NamedPom extends Coordinates {
  readonly licenses: readonly string[];
}

interface Coordinates {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
}

function readPoms(metadata: ReadonlyMap<string, string>): { poms: NamedPom[]; problem?: string } {
  const folders = new Map<string, { groupId: string; artifactId: string; found: Pom[] }>();
  let problem: string | undefined;
  for (const [path, text] of metadata) {
    const [, groupId, artifactId] = pomPath.exec(path) ?? [];
    if (groupId === undefined || artifactId === undefined) continue;
    const folder = path.slice(0, path.lastIndexOf('/'));
    const entry = folders.get(folder) ?? { groupId, artifactId, found: [] };
    folders.set(folder, entry);
    try {
      // The properties are what the build knew; the pom may leave it to its parents.
      if (path.endsWith('.xml')) entry.found.push(parsePomXml(text));
      else entry.found.unshift(parsePomProperties(text));
    } catch (error) {
      problem ??= `${path}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  const poms: NamedPom[] = [];
  for (const [folder, { found, ...named }] of folders) {
    const version = found.map((pom) => pom.version).find((value) => value !== undefined);
    const groupId = found.map((pom) => pom.groupId).find((value) => value !== undefined) ?? named.groupId;
    const artifactId =
      found.map((pom) => pom.artifactId).find((value) => value !== undefined) ?? named.artifactId;
    if (version === undefined || !mavenScheme.isValid(version)) problem ??= `${folder}: it names no version`;
    else poms.push({ groupId, artifactId, version, licenses: found.flatMap((pom) => pom.licenses) });
  }
  return { poms, ...(problem === undefined ? {} : { problem }) };
}

interface FileName {
  /** Without ending: `log4j-1.2.17`. */
  readonly stem: string;
  /** Without version: `log4j`. */
  readonly artifactId: string;
  readonly version: string | undefined;
}

/** A name may have digits of its own (`log4j-1.2-1.2.17`): then the manifest tells where the version begins. */
function splitName(fileName: string, manifestVersions: readonly string[]): FileName {
  const stem = fileName.replace(/\.[^.]*$/, '');
  const stated = manifestVersions.find((value) => stem.endsWith(`-${value}`));
  if (stated !== undefined) return { stem, artifactId: stem.slice(0, -stated.length - 1), version: stated };
  const [, artifactId, version = ''] = /^(.+?)-v?(\d[\w.+~-]*)$/.exec(stem) ?? [];
  // `3.x` is a series, not a version.
  return { stem, artifactId: artifactId ?? stem, version: /^$|\.x$/.test(version) ? undefined : version };
}

/** The pom that is about the jar itself: the one whose artifact the file is named after, or the only one. */
function ownPom(poms: readonly NamedPom[], stem: string): NamedPom | undefined {
  const named = poms
    .filter(({ artifactId }) => stem === artifactId || stem.startsWith(`${artifactId}-`))
    .toSorted((a, b) => b.artifactId.length - a.artifactId.length);
  return named[0] ?? (poms.length === 1 ? poms[0] : undefined);
}

function readManifest(metadata: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, text] = [...metadata].find(([path]) => manifestPath.test(path)) ?? [];
  return parseManifest(text ?? '');
}

/**
 * What is packed from other jars often keeps the manifest of one of them. So it counts only if it has the version that
 * the file's name has, or, where that has none, if nothing else is in the jar or the title is the file's name.
 */
function byManifest(
  manifest: ReadonlyMap<string, string>,
  name: FileName,
  isUberJar: boolean,
): ExtractedPackage | undefined {
  const versions = manifestVersions(manifest);
  const isOwn = !isUberJar || manifest.get('implementation-title') === name.artifactId;
  const version =
    name.version === undefined ? isOwn && versions[0] : versions.find((value) => value === name.version);
  return version ? packageOf(coordinatesByManifest(manifest, name), version) : undefined;
}

function manifestVersions(manifest: ReadonlyMap<string, string>): readonly string[] {
  return [manifest.get('implementation-version'), manifest.get('bundle-version')]
    .filter((value) => value !== undefined)
    .filter((value) => /^v?\d/.test(value) && mavenScheme.isValid(value));
}

/** `GROUP:ARTIFACT` where both are known, else a name. */
function coordinatesByManifest(manifest: ReadonlyMap<string, string>, { artifactId }: FileName): string {
  const title = manifest.get('implementation-title') ?? '';
  const known = knownJar(artifactId) ?? knownJar(title);
  if (known !== undefined) return known;
  const symbolicName = manifest.get('bundle-symbolicname')?.split(';', 1)[0]?.trim() ?? '';
  if (symbolicName.endsWith(`.${artifactId}`) && isGroup(symbolicName.slice(0, -artifactId.length - 1)))
    return `${symbolicName.slice(0, -artifactId.length - 1)}:${artifactId}`;
  // Maven's archiver writes the group there; before that Apache's projects wrote whose they are, which is no group.
  const vendorId = manifest.get('implementation-vendor-id') ?? '';
  return isGroup(vendorId) && vendorId !== 'org.apache' ? `${vendorId}:${artifactId}` : artifactId;
}

function byFileName({ stem, artifactId, version }: FileName): ExtractedPackage | undefined {
  if (version === undefined || /-(?:javadoc|sources|src)$/.test(stem)) return undefined;
  return packageOf(knownJar(artifactId) ?? artifactId, version, { from: 'file_name' });
}

/** A reversed domain: `org.example`. */
function isGroup(text: string): boolean {
  return /^[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+$/i.test(text);
}

function packageOf(
  coordinates: string,
  version: string,
  qualifiers: Readonly<Record<string, string>> = {},
): ExtractedPackage {
  const [groupId = '', artifactId] = coordinates.split(':');
  if (artifactId !== undefined) return mavenPackage({ groupId, artifactId, version }, qualifiers);
  const purl = new PackageURL('generic', null, groupId, version, qualifiers, null).toString();
  return { purl, ecosystem: '', name: groupId, version };
}

function mavenPackage(
  { groupId, artifactId, version }: Coordinates,
  qualifiers: Readonly<Record<string, string>> = {},
): ExtractedPackage {
  const purl = new PackageURL('maven', groupId, artifactId, version, qualifiers, null).toString();
  return { purl, ecosystem: 'Maven', name: `${groupId}:${artifactId}`, version };
}

function distinct(packages: readonly ExtractedPackage[]): readonly ExtractedPackage[] {
  return [...new Map(packages.map((found) => [found.purl, found])).values()];
}
