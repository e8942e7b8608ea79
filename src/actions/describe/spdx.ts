/**
 * SPDX 2.3 as JSON (https://spdx.github.io/spdx-spec/v2.3/). Written by hand: the document is flat, and its identifiers
 * and licences have rules of their own. Files are not listed, since the format asks for their SHA-1, which nobody has.
 */
import { setImmediate as othersFirst } from 'node:timers/promises';
import parseExpression from 'spdx-expression-parse';
import type { PackageInImage } from '../../records/inventory/image-contents.ts';
import { imagePurl, madeAt, ownHash, type SbomSubject, uuidOf } from './sbom-subject.ts';

const documentId = 'SPDXRef-DOCUMENT';
const imageId = 'SPDXRef-Image';
const osId = 'SPDXRef-OperatingSystem';
const unsaid = 'NOASSERTION';
const packagesAtOnce = 1_000;

export async function spdx(subject: SbomSubject): Promise<string> {
  const { repository, digest, tool, packages } = subject;
  const licences = new Licences();
  const found: { readonly SPDXID: string }[] = osPackages(subject);
  for (const [at, one] of packages.entries()) {
    if (at % packagesAtOnce === 0) await othersFirst();
    found.push(packageOf(one, licences));
  }
  const { extracted } = licences;
  const name = `${repository}@${digest}`;
  const body = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: documentId,
    name,
    creationInfo: { created: madeAt(subject), creators: [`Tool: ${tool.name}-${tool.version}`] },
    comment: commentOf(subject),
    packages: [imagePackage(subject), ...found],
    ...(extracted.length === 0 ? {} : { hasExtractedLicensingInfos: extracted }),
    relationships: [
      relation(documentId, 'DESCRIBES', imageId),
      ...found.map(({ SPDXID }) => relation(imageId, 'CONTAINS', SPDXID)),
    ],
  };
  // Unique for what it says, as it must be; the folder is SPDX's own for those who have no other.
  const documentNamespace = `https://spdx.org/spdxdocs/${encodeURIComponent(repository)}-${uuidOf(JSON.stringify(body))}`;
  return JSON.stringify({ ...body, documentNamespace });
}

function commentOf({ state, reason }: SbomSubject): string {
  if (state === 'done') return 'Each layer of the image was read to its end.';
  return `The image was not read to its end, so there may be more in it (${reason === null ? state : `${state}: ${reason}`}).`;
}

function relation(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

const nothingConcluded = {
  downloadLocation: unsaid,
  filesAnalyzed: false,
  licenseConcluded: unsaid,
  copyrightText: unsaid,
} as const;

function purlReference(purl: string) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl };
}

function imagePackage(subject: SbomSubject) {
  const { repository, digest, layers } = subject;
  return {
    SPDXID: imageId,
    name: repository,
    versionInfo: digest,
    primaryPackagePurpose: 'CONTAINER',
    ...nothingConcluded,
    licenseDeclared: unsaid,
    checksums: [{ algorithm: 'SHA256', checksumValue: digest.slice('sha256:'.length) }],
    externalRefs: [purlReference(imagePurl(subject))],
    sourceInfo: `layers, from the base up: ${layers.join(', ')}`,
  };
}

function osPackages({ os }: SbomSubject) {
  if (os === null) return [];
  return [
    {
      SPDXID: osId,
      name: os.id,
      ...(os.versionId === undefined ? {} : { versionInfo: os.versionId }),
      ...(os.prettyName === undefined ? {} : { summary: os.prettyName }),
      primaryPackagePurpose: 'OPERATING_SYSTEM',
      ...nothingConcluded,
      licenseDeclared: unsaid,
    },
  ];
}

function packageOf(found: PackageInImage, licences: Licences) {
  const { purl, name, version, license, places, sourceName, sourceVersion } = found;
  const hash = ownHash(found);
  const built =
    sourceName === null ? [] : [`built from ${[sourceName, sourceVersion].filter(Boolean).join(' ')}`];
  return {
    SPDXID: `SPDXRef-Package-${uuidOf(`${purl}\n${name}`)}`,
    name,
    versionInfo: version,
    primaryPackagePurpose: 'LIBRARY',
    ...nothingConcluded,
    licenseDeclared: licences.declared(license),
    ...(hash === undefined ? {} : { checksums: [{ algorithm: 'SHA256', checksumValue: hash }] }),
    externalRefs: [purlReference(purl)],
    sourceInfo: [...places.map(({ path, layer }) => `found at /${path} in layer ${layer}`), ...built].join(
      '; ',
    ),
  };
}

/** What packages declare, as expressions; a text that is none gets a name of this document, and is quoted under it. */
class Licences {
  readonly #extracted = new Map<string, string>();

  get extracted() {
    return [...this.#extracted]
      .map(([licenseId, text]) => ({ licenseId, name: text.slice(0, 200), extractedText: text }))
      .sort((a, b) => (a.licenseId < b.licenseId ? -1 : 1));
  }

  declared(text: string | null): string {
    if (text === null || text === '') return unsaid;
    const references = referencesIn(text);
    if (references === undefined) {
      const licenseId = `LicenseRef-${uuidOf(text)}`;
      this.#extracted.set(licenseId, text);
      return licenseId;
    }
    for (const reference of references) this.#extracted.set(reference, reference);
    return text;
  }
}

type Expression = ReturnType<typeof parseExpression>;

/** The `LicenseRef-…` that an expression uses; undefined: it is no expression. */
function referencesIn(text: string): string[] | undefined {
  try {
    return referencesOf(parseExpression(text));
  } catch {
    return undefined; // free text, as many packages have it
  }
}

function referencesOf(expression: Expression): string[] {
  if ('conjunction' in expression)
    return [...referencesOf(expression.left), ...referencesOf(expression.right)];
  return expression.license.startsWith('LicenseRef-') ? [expression.license] : [];
}
