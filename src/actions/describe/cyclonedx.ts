/**
 * CycloneDX 1.6 as JSON (ECMA-424). The library makes and checks each component; what its model lacks (where a package was
 * found, how far the image was read) is added to its normal form. Components are made a few at a time, so that a large
 * image does not hold up whoever else uses this process.
 */
import { setImmediate as othersFirst } from 'node:timers/promises';
import { PackageURL } from 'packageurl-js';
import type { PackageInImage } from '../../records/inventory/image-contents.ts';
import { imagePurl, madeAt, ownHash, type SbomSubject, uuidOf } from './sbom-subject.ts';

const componentsAtOnce = 200;

type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** Loaded when first used: it takes a while. */
async function loadLibrary() {
  const [{ Contrib, Enums, Models, Serialize, Spec }, { default: parseExpression }] = await Promise.all([
    import('@cyclonedx/cyclonedx-library'),
    import('spdx-expression-parse'),
  ]);
  const licenses = new Contrib.License.Factories.LicenseFactory((text) => void parseExpression(text));
  return { Enums, Models, licenses, normal: new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6) };
}

export async function cycloneDx(subject: SbomSubject): Promise<string> {
  const library = await loadLibrary();
  const refs = packageRefs(subject);
  const os = osComponents(library, subject);
  const components: unknown[] = [...os.components];
  for (const [at, found] of subject.packages.entries()) {
    if (at % componentsAtOnce === 0) await othersFirst();
    components.push(packageComponent(library, found, refs[at] ?? found.purl));
  }
  const root = imagePurl(subject);
  const bom = { ...head(library, subject), components, ...relations(subject, root, [...os.refs, ...refs]) };
  // Of all that it says, so that no two documents have one number.
  return JSON.stringify({ ...bom, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bom))}` });
}

function head({ Enums, Models, normal }: Library, subject: SbomSubject) {
  const { repository, digest, layers, tool, state, reason } = subject;
  const bom = new Models.Bom();
  bom.metadata.tools.components.add(
    new Models.Component(Enums.ComponentType.Application, tool.name, { version: tool.version }),
  );
  const image = new Models.Component(Enums.ComponentType.Container, repository, {
    bomRef: imagePurl(subject),
    purl: imagePurl(subject),
    version: digest,
  });
  image.hashes.set(Enums.HashAlgorithm['SHA-256'], digest.slice('sha256:'.length));
  bom.metadata.component = image;
  const normalized = normal.makeForBom().normalize(bom, {});
  const properties = [
    ...layers.map((layer) => ({ name: 'lazaret:layer', value: layer })),
    { name: 'lazaret:inspection:state', value: state },
    ...(reason === null ? [] : [{ name: 'lazaret:inspection:reason', value: reason }]),
  ];
  return { ...normalized, metadata: { ...normalized.metadata, timestamp: madeAt(subject), properties } };
}

function osComponents({ Enums, Models, normal }: Library, { os }: SbomSubject) {
  if (os === null) return { components: [], refs: [] };
  const component = new Models.Component(Enums.ComponentType.OperatingSystem, os.id, {
    bomRef: `os:${os.id}`,
    ...(os.versionId === undefined ? {} : { version: os.versionId }),
    ...(os.prettyName === undefined ? {} : { description: os.prettyName }),
  });
  return { components: [normal.makeForComponent().normalize(component, {})], refs: [`os:${os.id}`] };
}

/** Their purls, with the name where it is only the name that tells two apart. */
function packageRefs({ packages }: SbomSubject): string[] {
  const uses = Map.groupBy(packages, ({ purl }) => purl);
  return packages.map(({ purl, name }) => (uses.get(purl)?.length === 1 ? purl : `${purl}#${name}`));
}

function packageComponent(
  { Enums, Models, licenses, normal }: Library,
  found: PackageInImage,
  bomRef: string,
) {
  const { group, name } = groupAndName(found);
  const component = new Models.Component(Enums.ComponentType.Library, name, {
    bomRef,
    purl: found.purl,
    version: found.version,
    ...(group === undefined ? {} : { group }),
  });
  const hash = ownHash(found);
  if (hash !== undefined) component.hashes.set(Enums.HashAlgorithm['SHA-256'], hash);
  if (found.license !== null && found.license !== '')
    component.licenses.add(licenses.makeFromString(found.license));
  const { sourceName, sourceVersion, places } = found;
  const properties = [...new Set(places.map(({ layer }) => layer))].map((layer) => ({
    name: 'lazaret:layer',
    value: layer,
  }));
  if (sourceName !== null) properties.push({ name: 'lazaret:source:name', value: sourceName });
  if (sourceVersion !== null) properties.push({ name: 'lazaret:source:version', value: sourceVersion });
  const occurrences = places.map(({ path, layer }) => ({ location: `/${path}`, additionalContext: layer }));
  return { ...normal.makeForComponent().normalize(component, {}), properties, evidence: { occurrences } };
}

/** A scope or group has a field of its own; a distribution, which is the namespace of its packages, is none. */
function groupAndName({ purl, name: whole }: PackageInImage): { group: string | undefined; name: string } {
  const { type, namespace, name } = PackageURL.fromString(purl);
  if (!['npm', 'maven', 'composer'].includes(type) || !namespace) return { group: undefined, name: whole };
  return { group: namespace, name: name ?? whole };
}

/** The image is made of its packages. What they need of each other nobody has written down, and that is said. */
function relations({ state }: SbomSubject, root: string, refs: readonly string[]) {
  const compositions = [
    { aggregate: 'unknown', dependencies: refs },
    ...(state === 'done' ? [] : [{ aggregate: 'unknown', assemblies: [root] }]),
  ];
  return { dependencies: [{ ref: root, dependsOn: refs }], compositions };
}
