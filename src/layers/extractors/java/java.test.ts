import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jarOf, type ZipFile, zipOf } from '../../../../test/support/zip.ts';
import { limits } from '../../../lib/limits.ts';
import { spdxOf } from '../../../licences/spdx-of.ts';
import type { Extracted } from '../../extractor.ts';
import { contentOf } from '../../file-content.ts';
import { walkArchive } from '../../formats/archive-walk.ts';
import { java } from './java.ts';

function extract(path: string, bytes: Uint8Array): Extracted {
  return java.extract({ path, kind: 'file', sizeBytes: bytes.length, mode: 0o644 }, contentOf(bytes, limits));
}

const purls = (found: Extracted) =>
  found.packages?.map(({ member, purl }) => (member === undefined ? purl : `${member} ${purl}`));

function manifest(attributes: Readonly<Record<string, string>>): ZipFile {
  const lines = Object.entries({ 'Manifest-Version': '1.0', ...attributes }).map(([key, value]) =>
    // No line of a manifest is longer than 72 bytes.
    `${key}: ${value}`.replace(/(?<=^.{70})(?=.)/s, '\r\n '),
  );
  return {
    name: 'META-INF/MANIFEST.MF',
    text: `${lines.join('\r\n')}\r\n\r\nName: x\r\nBundle-Version: 9\r\n`,
  };
}

const pom = (fields: string) => `<project xmlns="http://maven.apache.org/POM/4.0.0">${fields}</project>`;

test.each([
  ['app.jar', true],
  ['opt/APP.WAR', true],
  ['opt/jenkins/git.hpi', true],
  ['opt/jar', false],
  ['app.jar.txt', false],
  ['app.zip', false],
])('%s is wanted: %s', (path, expected) => {
  expect(java.wants({ path, kind: 'file', sizeBytes: 1, mode: 0o644 })).toBe(expected);
});

test('links to jars are left alone', () => {
  expect(java.wants({ path: 'usr/share/java/a.jar', kind: 'link', sizeBytes: 0, mode: 0o777 })).toBe(false);
});

describe('a jar', () => {
  test('of Maven says what it is', () => {
    const bytes = jarOf(
      ['org.apache.logging.log4j:log4j-core:2.14.1'],
      [
        {
          name: 'META-INF/maven/org.apache.logging.log4j/log4j-core/pom.xml',
          text: pom('<licenses><license><name>Apache License, Version 2.0</name></license></licenses>'),
        },
      ],
    );
    expect(extract('opt/renamed.jar', bytes).packages).toEqual([
      {
        purl: 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
        ecosystem: 'Maven',
        name: 'org.apache.logging.log4j:log4j-core',
        version: '2.14.1',
        license: 'Apache License, Version 2.0',
      },
    ]);
  });

  test('with others in it is all of them, and its licence is not theirs', () => {
    const bytes = jarOf(
      ['g:app:1.0', 'org.yaml:snakeyaml:1.19', 'g:app-core:1.0'],
      [
        {
          name: 'META-INF/maven/g/app/pom.xml',
          text: pom('<licenses><license><name>MIT</name></license></licenses>'),
        },
      ],
    );
    const found = extract('app-1.0-all.jar', bytes);
    expect(purls(found)).toEqual([
      'pkg:maven/g/app@1.0',
      'pkg:maven/org.yaml/snakeyaml@1.19',
      'pkg:maven/g/app-core@1.0',
    ]);
    expect(found.packages?.map(({ license }) => license)).toEqual(['MIT', undefined, undefined]);
  });

  test('whose pom leaves the version to its parent is read all the same', () => {
    const text = pom('<parent><groupId>g</groupId><version>3.1</version></parent><artifactId>a</artifactId>');
    expect(purls(extract('a.jar', zipOf([{ name: 'META-INF/maven/g/a/pom.xml', text }])))).toEqual([
      'pkg:maven/g/a@3.1',
    ]);
  });

  test('whose pom names no version makes the result unknown', () => {
    const text = pom(`<version>$\{revision}</version>`);
    const found = extract('a.jar', zipOf([{ name: 'META-INF/maven/g/a/pom.xml', text }]));
    expect(found).toMatchObject({ packages: [], problem: 'META-INF/maven/g/a: it names no version' });
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'spring-core-4.3.30.RELEASE.jar',
      { 'Implementation-Title': 'spring-core', 'Implementation-Version': '4.3.30.RELEASE' },
      'pkg:maven/org.springframework/spring-core@4.3.30.RELEASE',
    ],
    [
      'h2-1.4.200.jar',
      { 'Implementation-Version': '1.4.200', 'Bundle-SymbolicName': 'com.h2database' },
      'pkg:maven/com.h2database/h2@1.4.200',
    ],
    [
      'freemarker.jar',
      { 'Bundle-SymbolicName': 'org.freemarker.freemarker;singleton:=true', 'Bundle-Version': '2.3.29' },
      'pkg:maven/org.freemarker/freemarker@2.3.29',
    ],
    [
      'widget-2.jar',
      { 'Implementation-Vendor-Id': 'org.example', 'Implementation-Version': '2' },
      'pkg:maven/org.example/widget@2',
    ],
    ['widget.jar', { 'Implementation-Version': '2' }, 'pkg:generic/widget@2'],
    [
      'log4j-1.2-1.2.17.jar',
      { 'Bundle-SymbolicName': 'org.apache.log4j', 'Bundle-Version': '1.2.17' },
      'pkg:maven/log4j/log4j@1.2.17',
    ],
    [
      'spring3-core-3.x.jar',
      { 'Implementation-Title': 'spring-core', 'Implementation-Version': '4.3.30.RELEASE' },
      'pkg:maven/org.springframework/spring-core@4.3.30.RELEASE',
    ],
    [
      'commons-logging-api-1.2.jar',
      { 'Implementation-Vendor-Id': 'org.apache', 'Implementation-Version': '1.2' },
      'pkg:maven/commons-logging/commons-logging-api@1.2',
    ],
    [
      'widget-1.2.jar',
      { 'Implementation-Vendor-Id': 'org.apache', 'Implementation-Version': '1.2' },
      'pkg:generic/widget@1.2',
    ],
  ])('without a pom is what its manifest says: %s', (path, attributes, purl) => {
    expect(purls(extract(path, zipOf([manifest(attributes)])))).toEqual([purl]);
  });

  test.each([
    ['log4j-1.2.17.jar', 'pkg:maven/log4j/log4j@1.2.17?from=file_name'],
    ['tool-v2.0-beta1.jar', 'pkg:generic/tool@2.0-beta1?from=file_name'],
  ])('that says nothing is what its file is called, and the purl tells that it is so: %s', (path, purl) => {
    expect(purls(extract(path, zipOf([{ name: 'A.class' }])))).toEqual([purl]);
  });

  test.each(['tool.jar', 'tool-3.x.jar', 'tool-1.0-javadoc.jar', 'tool-1.0-sources.jar'])(
    'that is no package names none: %s',
    (path) => {
      expect(extract(path, zipOf([{ name: 'A.class' }]))).toMatchObject({ packages: [] });
    },
  );

  test('packed from others does not take the manifest of one of them for its own', () => {
    const bytes = zipOf([
      manifest({ 'Implementation-Vendor-Id': 'org.glassfish', 'Implementation-Version': '3.1.0' }),
      ...['g:a:1', 'g:b:2'].map((text) => ({
        name: `META-INF/maven/${text.split(':').slice(0, 2).join('/')}/pom.properties`,
        text: `version=${text.split(':')[2]}`,
      })),
    ]);
    expect(purls(extract('server-3.141.59.jar', bytes))).toEqual([
      'pkg:maven/g/a@1',
      'pkg:maven/g/b@2',
      'pkg:generic/server@3.141.59?from=file_name',
    ]);
    expect(purls(extract('server.jar', bytes))).toEqual(['pkg:maven/g/a@1', 'pkg:maven/g/b@2']);
  });

  test.each([
    ['http://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
    ['Apache License, Version 2.0; see: http://www.apache.org/licenses/LICENSE-2.0', 'Apache-2.0'],
    [
      '"Apache-2.0";link="https://www.apache.org/licenses/LICENSE-2.0", http://www.eclipse.org/org/documents/epl-v10.php',
      'Apache-2.0 OR EPL-1.0',
    ],
    ['"MIT and ISC", "Apache License, Version 2.0"', '(MIT AND ISC) OR Apache-2.0'],
    ['Apache License, Version 2.0 and more', 'Apache-2.0 AND LicenseRef-unknown'],
    ['https://opensource.org/licenses/MIT', 'MIT'],
    ['The Widget License', null],
  ])('has its licence in the manifest: %s', (header, spdx) => {
    const found = extract('a-1.jar', zipOf([manifest({ 'Bundle-Version': '1', 'Bundle-License': header })]));
    expect(spdxOf(found.packages?.[0]?.license ?? '')).toBe(spdx);
  });
});

describe('archives in an archive', () => {
  const log4j = jarOf(['log4j:log4j:1.2.17'], [{ name: 'org/apache/log4j/Logger.class', text: 'class' }]);
  const war = zipOf([
    { name: 'WEB-INF/lib/log4j-1.2.17.jar', bytes: log4j, stored: true },
    { name: 'WEB-INF/web.xml', text: '<web-app/>' },
  ]);
  const ear = zipOf([{ name: 'app.war', bytes: war }]);

  test('are read, with the packages at their place', () => {
    expect(purls(extract('shop.ear', ear))).toEqual([
      'app.war!/WEB-INF/lib/log4j-1.2.17.jar pkg:maven/log4j/log4j@1.2.17',
    ]);
  });

  test('are listed with all that is in them, each with size and hash', () => {
    const members = extract('shop.ear', ear).members ?? [];
    expect(members.map(({ path }) => path)).toEqual([
      'app.war',
      'app.war!/WEB-INF/lib/log4j-1.2.17.jar',
      'app.war!/WEB-INF/lib/log4j-1.2.17.jar!/META-INF/MANIFEST.MF',
      'app.war!/WEB-INF/lib/log4j-1.2.17.jar!/META-INF/maven/log4j/log4j/pom.properties',
      'app.war!/WEB-INF/lib/log4j-1.2.17.jar!/org/apache/log4j/Logger.class',
      'app.war!/WEB-INF/web.xml',
    ]);
    expect(members[4]).toMatchObject({ sizeBytes: 5, sha256: hash('sha256', 'class', 'buffer') });
    expect(members[1]).toMatchObject({ sizeBytes: log4j.length, sha256: hash('sha256', log4j, 'buffer') });
  });

  test('behind a start script are read', () => {
    const executable = Buffer.concat([Buffer.from('#!/bin/bash\nexit\n'), war]);
    expect(purls(extract('app.jar', executable))).toEqual([
      'WEB-INF/lib/log4j-1.2.17.jar pkg:maven/log4j/log4j@1.2.17',
    ]);
  });

  test('that are broken hide nothing beside them', () => {
    const found = extract(
      'a.war',
      zipOf([
        { name: 'lib/x.jar', text: 'no archive' },
        { name: 'lib/b.jar', bytes: jarOf(['g:b:1']) },
        { name: 'secret', text: 'x', encrypted: true },
      ]),
    );
    expect(purls(found)).toEqual(['lib/b.jar pkg:maven/g/b@1']);
    expect(found.problem).toBe('lib/x.jar: it is no zip archive (and 1 more)');
    expect(found.members?.find(({ path }) => path === 'secret')).toEqual({ path: 'secret', sizeBytes: 1 });
  });
});

test('of a manifest of any length the beginning is read, where the jar itself is told; a pom that is too long is a problem', () => {
  const entries = `\r\nName: a\r\nSHA-256-Digest: ${'x'.repeat(40)}\r\n`.repeat(30_000);
  const signed = manifest({ 'Implementation-Version': '1.2.3', 'Implementation-Vendor-Id': 'org.acme' });
  const long = zipOf([{ ...signed, text: `${signed.text}${entries}` }]);
  const found = extract('opt/tool.jar', long);
  expect(purls(found)).toEqual(['pkg:maven/org.acme/tool@1.2.3']);
  expect(found.problem).toBeUndefined();
  const padded = { name: 'META-INF/maven/g/a/pom.properties', text: `${'#\n'.repeat(600_000)}version=1\n` };
  expect(extract('opt/a.jar', zipOf([padded])).problem).toContain('it names no version');
});

describe('a hostile archive ends as unknown', () => {
  const walk = (bytes: Buffer, less: Partial<Record<keyof typeof limits, number>> = {}) =>
    walkArchive(
      contentOf(bytes, limits),
      { isArchive: (name) => name.endsWith('.jar'), isMetadata: () => false },
      { ...limits, ...less },
    );

  test('when archives are a hundred deep', () => {
    let bytes = zipOf([{ name: 'end', text: 'x' }]);
    for (let depth = 0; depth < 100; depth += 1) bytes = zipOf([{ name: 'a.jar', bytes }]);
    const found = walk(bytes);
    expect(found.problem).toMatch(/^a\.jar(!\/a\.jar){6}: more than 6 archives in each other$/);
    expect(found.members).toHaveLength(7);
  });

  test('when it unpacks to much more than it is', () => {
    const zeros = Buffer.alloc(1_000_000);
    const bytes = zipOf(Array.from({ length: 20 }, (_, at) => ({ name: `${at}`, bytes: zeros })));
    const found = walk(bytes, { archiveUnpackedBytes: 5_000_000 });
    expect(found.problem).toBe('5: the archive unpacks to more than 5000000 bytes (and 14 more)');
    expect(found.members.filter(({ sha256 }) => sha256 !== undefined)).toHaveLength(5);
  });

  test('when a file in it is larger than may be unpacked', () => {
    const bytes = zipOf([
      { name: 'big', bytes: Buffer.alloc(5_000) },
      { name: 'small', text: 'x' },
    ]);
    const found = walk(bytes, { archiveMemberBytesMax: 4_000 });
    expect(found.problem).toBe('big: it has 5000 bytes; at most 4000 are unpacked');
    expect(found.members.map(({ path, sha256 }) => [path, sha256 !== undefined])).toEqual([
      ['big', false],
      ['small', true],
    ]);
  });

  test('when it holds too many files, or too many archives', () => {
    const small = zipOf([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    const bytes = zipOf(['1.jar', '2.jar', '3.jar'].map((name) => ({ name, bytes: small })));
    expect(walk(bytes, { archiveMembersMax: 6 }).problem).toContain(
      '2.jar!/b: more than 6 files in the archive',
    );
    expect(walk(bytes, { archivesNestedMax: 1 }).problem).toBe(
      '2.jar: more than 1 archives in the archive (and 1 more)',
    );
  });

  test('when archives in each other hold too much at once', () => {
    const inner = zipOf([{ name: 'a', bytes: Buffer.alloc(6_000), stored: true }]);
    const bytes = zipOf([{ name: 'a.jar', bytes: zipOf([{ name: 'b.jar', bytes: inner }]) }]);
    expect(walk(bytes, { archiveHeldBytesMax: 5_000 }).problem).toContain(
      'a.jar!/b.jar: archives in each other of more than 5000 bytes',
    );
  });

  test('when its texts about archives are much more than it is', () => {
    const bytes = zipOf(['a', 'b', 'c'].map((name) => ({ name: `${name}.pom`, text: 'x'.repeat(4_000) })));
    const found = walkArchive(
      contentOf(bytes, limits),
      { isArchive: () => false, isMetadata: (name) => name.endsWith('.pom') },
      { ...limits, archiveMetadataBytesMax: 9_000 },
    );
    expect(found.problem).toBe('c.pom: more than 9000 bytes of texts about archives');
    expect([...(found.archives[0]?.metadata.keys() ?? [])]).toEqual(['a.pom', 'b.pom']);
  });

  test('when a path is longer than can be kept', () => {
    expect(walk(zipOf([{ name: 'a'.repeat(3_000) }])).problem).toContain('its path is too long');
  });

  test('when a pom nests a hundred thousand elements', () => {
    const text = `<project>${'<a>'.repeat(100_000)}`;
    expect(extract('a-1.jar', zipOf([{ name: 'META-INF/maven/g/a/pom.xml', text }])).problem).toBeDefined();
  });
});
