/**
 * What jars say of themselves, read by unzip: the `pom.properties` (or only `pom.xml`) that Maven left in them, else their
 * manifest. Of Debian's jars the links in its repository for Maven tell the coordinates.
 */
import { realpath } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { lines, output } from './installed.ts';

/** `maven GROUP:ARTIFACT VERSION PATH`; `generic NAME VERSION PATH` for one that does not say its group. */
export async function jarPackages(root: string): Promise<string[]> {
  const debians = await debianCoordinates(root);
  const found: string[] = [];
  for (const jar of lines(await output('find', [root, '-xdev', '-type', 'f', '-name', '*.jar']))) {
    const poms = await pomsIn(jar);
    const packages = poms.length > 0 ? poms : [debians.get(jar) ?? (await byManifest(jar))];
    found.push(...packages.map((one) => `${one} ${relative(root, jar)}`));
  }
  return found;
}

/** `usr/share/maven-repo/org/example/tool/1.0/tool-1.0.jar` is a link to the jar. */
async function debianCoordinates(root: string): Promise<ReadonlyMap<string, string>> {
  const repository = join(root, 'usr/share/maven-repo');
  const found = new Map<string, string>();
  for (const link of lines(await output('find', [repository, '-name', '*.jar']))) {
    const folders = relative(repository, link).split('/');
    const [artifact, version = ''] = folders.slice(-3, -1);
    // Beside the version there are `debian` and series, for packages that take any.
    if (!/^\d/.test(version) || version.endsWith('.x')) continue;
    found.set(await realpath(link), `maven ${folders.slice(0, -3).join('.')}:${artifact} ${version}`);
  }
  return found;
}

async function pomsIn(jar: string): Promise<string[]> {
  const files = lines(await output('unzip', ['-Z1', jar]));
  const folders = files.flatMap((file) => /^META-INF\/maven\/[^/]+\/[^/]+\/(?=pom\.)/.exec(file)?.[0] ?? []);
  const found: string[] = [];
  for (const folder of new Set(folders)) {
    const [, , group, artifact] = folder.split('/');
    const file = [`${folder}pom.properties`, `${folder}pom.xml`].find((name) => files.includes(name)) ?? '';
    const text = await output('unzip', ['-p', jar, file]);
    const version = /^version=(\S+)/m.exec(text) ?? /<version>([^<]+)<\/version>/.exec(text);
    found.push(`maven ${group}:${artifact} ${version?.[1]}`);
  }
  return found;
}

/** The version that the manifest has, else that of the file's name. */
async function byManifest(jar: string): Promise<string> {
  const text = await output('unzip', ['-p', jar, 'META-INF/MANIFEST.MF']);
  const stated = /^(?:Implementation|Bundle)-Version: (\S+)/m.exec(text)?.[1];
  const [, name, version] = /^(.+?)-(\d.*)\.jar$/.exec(basename(jar)) ?? [];
  return `generic ${name ?? basename(jar, '.jar')} ${stated ?? version}`;
}
