import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type InventoryWorld, inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { isRecord } from '../../lib/fields.ts';
import type { PackageInImage } from '../../records/inventory/image-contents.ts';
import { cycloneDx } from './cyclonedx.ts';
import { sbomOf } from './sbom.ts';
import type { SbomSubject } from './sbom-subject.ts';
import { spdx } from './spdx.ts';

const hex = (digit: string) => digit.repeat(64);
const layer = `sha256:${hex('1')}`;

/** Formats are checked too, but for two about which nobody agrees. */
function schemaReader(): Ajv {
  const ajv = new Ajv({ strict: false, formats: { 'idn-email': true, 'iri-reference': true } });
  addFormats.default(ajv);
  return ajv;
}

const found = (purl: string, name: string, more: Partial<PackageInImage> = {}): PackageInImage => ({
  purl,
  name,
  version: '1.0',
  sourceName: null,
  sourceVersion: null,
  license: null,
  places: [{ path: `opt/${name}`, layer, sha256: null }],
  ...more,
});

const subject: SbomSubject = {
  repository: 'acme/shop',
  digest: `sha256:${hex('d')}`,
  tool: { name: 'lazaret', version: '0' },
  state: 'done',
  reason: null,
  os: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12' },
  createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  platform: 'linux/amd64',
  layers: [layer, `sha256:${hex('2')}`],
  packages: [
    found('pkg:deb/debian/libc6@2.36?arch=amd64&distro=debian-12', 'libc6', {
      license: 'GPL-2.0-or-later AND LicenseRef-Public-Domain',
      sourceName: 'glibc',
      sourceVersion: '2.36',
    }),
    found('pkg:maven/org.acme/core@1.0', 'org.acme:core', {
      places: [{ path: 'app/core.jar', layer, sha256: hex('a') }],
    }),
    found('pkg:npm/%40acme/ui@1.0', '@acme/ui', { license: 'MIT' }),
    found('pkg:npm/jsonstream@1.0', 'JSONStream', { license: 'see "LICENCE.txt" <b>' }),
    found('pkg:npm/jsonstream@1.0', 'jsonstream', { license: '' }),
  ],
};

describe('a bill of materials', () => {
  let validCycloneDx: ValidateFunction;
  let validSpdx: ValidateFunction;

  beforeAll(async () => {
    const folder = createRequire(import.meta.url)
      .resolve('@cyclonedx/cyclonedx-library/package.json')
      .replace('package.json', 'res/schema/');
    const json = async (path: string): Promise<object> => JSON.parse(await readFile(path, 'utf8'));
    const ajv = schemaReader();
    const base = 'http://cyclonedx.org/schema';
    for (const part of ['spdx', 'jsf-0.82', 'cryptography-defs'].map(
      (name) => `${name}.SNAPSHOT.schema.json`,
    ))
      ajv.addSchema({ ...(await json(`${folder}${part}`)), $id: `${base}/${part}` });
    validCycloneDx = ajv.compile(await json(`${folder}bom-1.6.SNAPSHOT.schema.json`));
    const ofSpdx = new URL('../../../test/fixtures/sbom/spdx-2.3.schema.json', import.meta.url);
    validSpdx = schemaReader().compile(JSON.parse(await readFile(ofSpdx, 'utf8')));
  });

  const everyKind: readonly (readonly [string, SbomSubject])[] = [
    ['a whole image', subject],
    ['an empty one', { ...subject, packages: [], layers: [], os: null, platform: null, createdAt: null }],
    ['one that is unknown', { ...subject, state: 'unknown', reason: 'a layer is no tar' }],
    ['one of the year 20000', { ...subject, createdAt: Date.UTC(20_000, 0) }],
  ];

  it.each(everyKind)('of %s is valid by the schemas of CycloneDX 1.6 and SPDX 2.3', async (_, of) => {
    for (const [valid, text] of [
      [validCycloneDx, await cycloneDx(of)],
      [validSpdx, await spdx(of)],
    ] as const) {
      valid(JSON.parse(text));
      expect(valid.errors).toBeNull();
    }
  });

  it('is refused by the schemas when it is not valid, so that they do say something', async () => {
    expect(validCycloneDx({ ...JSON.parse(await cycloneDx(subject)), serialNumber: '7' })).toBe(false);
    expect(validSpdx({ ...JSON.parse(await spdx(subject)), dataLicense: 7 })).toBe(false);
  });

  it('is the same bytes for the same contents, and another document for others', async () => {
    for (const write of [cycloneDx, spdx]) {
      expect(await write(structuredClone(subject))).toBe(await write(subject));
      expect(await write({ ...subject, packages: [] })).not.toBe(await write(subject));
    }
    const numberOf = async (of: SbomSubject): Promise<unknown> =>
      JSON.parse(await cycloneDx(of)).serialNumber;
    expect(await numberOf({ ...subject, packages: [] })).not.toBe(await numberOf(subject));
  });

  it('in CycloneDX says where each package was found, its licence and its own hash', async () => {
    const { components, metadata, dependencies } = JSON.parse(await cycloneDx(subject));
    expect(metadata.timestamp).toBe('2026-01-02T03:04:05Z');
    expect(metadata.component).toMatchObject({
      type: 'container',
      name: 'acme/shop',
      version: subject.digest,
    });
    expect(components).toMatchObject([
      { type: 'operating-system', name: 'debian', version: '12' },
      { name: 'libc6', licenses: [{ expression: subject.packages[0]?.license }] },
      { group: 'org.acme', name: 'core', hashes: [{ alg: 'SHA-256', content: hex('a') }] },
      {
        group: '@acme',
        name: 'ui',
        licenses: [{ license: { id: 'MIT' } }],
        evidence: { occurrences: [{ location: '/opt/@acme/ui', additionalContext: layer }] },
      },
      { 'bom-ref': 'pkg:npm/jsonstream@1.0#JSONStream' },
      { 'bom-ref': 'pkg:npm/jsonstream@1.0#jsonstream' },
    ]);
    expect(dependencies[0].dependsOn).toHaveLength(components.length);
  });

  it('in SPDX quotes a licence that is no expression, and names what an expression refers to', async () => {
    const { packages, hasExtractedLicensingInfos: quoted, relationships } = JSON.parse(await spdx(subject));
    const declared = (name: string) => packages.find((one: unknown) => isRecord(one) && one.name === name);
    expect(declared('@acme/ui')).toMatchObject({ licenseDeclared: 'MIT' });
    expect(declared('jsonstream')).toMatchObject({ licenseDeclared: 'NOASSERTION' });
    expect(quoted).toMatchObject([
      { licenseId: 'LicenseRef-Public-Domain' },
      { licenseId: declared('JSONStream').licenseDeclared, extractedText: 'see "LICENCE.txt" <b>' },
    ]);
    expect(declared('libc6').sourceInfo).toContain('built from glibc 2.36');
    expect(relationships).toHaveLength(packages.length);
  });
});

describeEngines('the bill of materials of an inspected image', (engines) => {
  let world: InventoryWorld;
  beforeAll(async () => {
    world = await inventoryWorld(engines);
  });

  it.each(['cyclonedx', 'spdx'] as const)('is made from its rows as %s', async (format) => {
    const manifest = {
      path: 'app/node_modules/ms/package.json',
      content: '{"name":"ms","version":"2.0.0","license":"The MIT License"}',
    };
    const id = await world.push({ layers: [await buildLayer([manifest])] });
    const image = { id, digest: subject.digest, repository: 'acme/shop' };
    await world.drain();
    const { bytes, mediaType } = await sbomOf(world.database, image, format);
    expect(mediaType).toMatch(/^application\/(vnd\.cyclonedx|spdx)\+json$/);
    expect(bytes.toString()).toContain('"pkg:npm/ms@2.0.0"');
    expect(bytes.toString()).toMatch(/"licenseDeclared":"MIT"|"license":\{"id":"MIT"/);
  });

  it('is refused while the image is not inspected', async () => {
    const id = await world.push({ layers: [await buildLayer([{ path: 'new', content: 'unread' }])] });
    const image = { id, digest: subject.digest, repository: 'acme/shop' };
    await expect(sbomOf(world.database, image, 'spdx')).rejects.toMatchObject({ code: 'conflict' });
  });
});
