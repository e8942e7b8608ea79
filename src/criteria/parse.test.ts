import fc from 'fast-check';
import { Compile } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { severities } from './advisory.ts';
import type { Criteria } from './criteria.ts';
import { describeCriteria } from './describe.ts';
import { parseCriteria } from './parse.ts';
import { matchPlaces } from './parts.ts';
import { criteriaSchema } from './schema.ts';

const schema = Compile(criteriaSchema);
const lodash = { package: { purl: 'pkg:npm/lodash', versions: '<4.17.21' } };

function problem(document: unknown): LazaretError {
  try {
    parseCriteria(document);
  } catch (error) {
    if (error instanceof LazaretError) return error;
    throw error;
  }
  throw new Error('the criteria were accepted');
}

function nested(depth: number): unknown {
  return depth === 1 ? lodash : { not: nested(depth - 1) };
}

const place = fc.option(fc.constantFrom(...matchPlaces), { nil: undefined });
const present = (object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const leaf = fc.oneof(
  fc
    .record({
      purl: fc.constantFrom('pkg:npm/lodash', 'pkg:npm/%40scope/name', 'pkg:deb/debian/openssl'),
      versions: optional(fc.constantFrom('<1.0.0', '>=1.0 <2.0', '1.2.3', '*', '>=1|<2')),
      in: place,
    })
    .map((body) => ({ package: present(body) })),
  fc
    .record({ type: optional(fc.constantFrom('npm', 'deb')), name: fc.constantFrom('lib*', '@a/*') })
    .map((body) => ({ package: present(body) })),
  fc
    .record({
      repository: fc.constantFrom('acme/**', 'a/b'),
      tag: optional(fc.constantFrom('v1.*', 'latest')),
      label: optional(fc.constantFrom({ name: 'a' }, { name: 'a', value: "it's" })),
      platform: optional(fc.constantFrom('linux', 'linux/arm/v7')),
      olderThan: optional(fc.constantFrom('90d')),
      pushedAfter: optional(fc.constantFrom('2026-11-01', '2026-11-01T09:30:00+01:00')),
      base: optional(fc.constantFrom(`sha256:${'ab'.repeat(32)}`)),
    })
    .map((body) => ({ image: present(body) })),
  fc
    .record({
      id: optional(fc.stringMatching(/^(?:MAL|GO|USN)-[0-9a-z-]{1,20}$/)),
      severity: fc.constantFrom(...severities),
      fixed: optional(fc.boolean()),
      malicious: optional(fc.boolean()),
      exploited: optional(fc.boolean()),
      publishedSince: optional(fc.constantFrom('2026-11-01')),
      in: place,
    })
    .map((body) => ({ advisory: present(body) })),
  fc
    .record({
      path: fc.constantFrom('usr/bin/*', '**/*.so', 'etc/shadow'),
      sha256: optional(fc.stringMatching(/^[0-9a-f]{64}$/)),
      setuid: optional(fc.boolean()),
      sizeMin: optional(fc.constantFrom('10MiB', '1024')),
      in: place,
    })
    .map((body) => ({ file: present(body) })),
  fc
    .record({
      kind: fc.constantFrom('private-key', 'aws-*', '*'),
      path: optional(fc.constantFrom('root/**', 'config:Env/*')),
      fingerprint: optional(fc.stringMatching(/^[1-9]:[0-9a-f]{64}$/)),
      in: place,
    })
    .map((body) => ({ secret: present(body) })),
  fc
    .record({
      signature: fc.constantFrom('*', 'Unix.Trojan.*', '{Win,Unix}.*'),
      path: optional(fc.constantFrom('opt/**')),
      in: place,
    })
    .map((body) => ({ malware: present(body) })),
  fc
    .record({
      user: fc.constantFrom('root', '1000'),
      port: optional(fc.constantFrom('80/tcp', '53/udp')),
      env: optional(fc.constantFrom('TOKEN')),
      label: optional(fc.constantFrom({ name: 'a' }, { name: 'a', value: '1' })),
    })
    .map((body) => ({ config: present(body) })),
);
const { criteria } = fc.letrec((tie) => ({
  criteria: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ all: fc.array(tie('criteria'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('criteria'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('criteria') }),
  ),
}));

describe('parseCriteria', () => {
  it('returns what it read, and so does the schema accept it, for every generated criteria', () => {
    fc.assert(
      fc.property(criteria, (document) => {
        expect(schema.Check(document)).toBe(true);
        expect(parseCriteria(document)).toEqual(document);
      }),
    );
  });

  it('writes purls in their canonical form', () => {
    expect(parseCriteria({ package: { purl: 'pkg:npm/@scope/name' } })).toEqual({
      package: { purl: 'pkg:npm/%40scope/name' },
    });
  });

  it.each([
    ['cve-2021-44228', 'CVE-2021-44228'],
    ['ghsa-JFH8-c2jp-5v3q', 'GHSA-jfh8-c2jp-5v3q'],
    ['x_FOP-Ab', 'x_FOP-Ab'],
  ])('reads the id %s as advisories write it: %s', (id, written) => {
    expect(parseCriteria({ advisory: { id } })).toEqual({ advisory: { id: written } });
  });

  it.each([
    ['text', 'x', 'criteria'],
    ['null', null, 'criteria'],
    ['a list', [lodash], 'criteria'],
    ['no kind', {}, 'criteria'],
    ['two kinds', { ...lodash, file: { path: 'x' } }, 'criteria'],
    ['an unknown kind', { pakage: {} }, 'criteria.pakage'],
    ['an image of anything', { image: {} }, 'criteria.image'],
    ['an age that is none', { image: { olderThan: '1 day' } }, 'criteria.image.olderThan'],
    ['a day that is none', { image: { pushedAfter: '2026-11' } }, 'criteria.image.pushedAfter'],
    ['a base by name', { image: { base: 'debian:12' } }, 'criteria.image.base'],
    ['a NUL', { image: { source: 'a\0b' } }, 'criteria.image.source'],
    ['a purl and a name', { package: { purl: 'pkg:npm/x', name: 'x' } }, 'criteria.package.name'],
    ['versions of any type', { package: { name: 'x*', versions: '<1' } }, 'criteria.package.versions'],
    ['a path and a name', { file: { path: 'a', name: 'b' } }, 'criteria.file.name'],
    ['a name with a slash', { file: { name: 'a/b' } }, 'criteria.file.name'],
    ['a size that is none', { file: { sizeMin: '10 apples' } }, 'criteria.file.sizeMin'],
    [
      'both questions about licences',
      { license: { anyOf: ['MIT'], notSatisfiedBy: ['MIT'] } },
      'criteria.license',
    ],
    ['a config that asks for nothing', { config: {} }, 'criteria.config'],
    [
      'an unknown key',
      { all: [lodash, { package: { purl: 'pkg:npm/x', verison: '1' } }] },
      'criteria.all[1].package.verison',
    ],
    ['empty all', { all: [] }, 'criteria.all'],
    ['empty any', { not: { any: [] } }, 'criteria.not.any'],
    ['all that is no list', { all: lodash }, 'criteria.all'],
    ['not that is a list', { not: [lodash] }, 'criteria.not'],
    ['no purl', { package: {} }, 'criteria.package.purl'],
    [
      'a purl that is none',
      { all: [lodash, { package: { purl: 'lodash' } }] },
      'criteria.all[1].package.purl',
    ],
    [
      'a purl with qualifiers',
      { package: { purl: 'pkg:deb/debian/curl?arch=amd64' } },
      'criteria.package.purl',
    ],
    ['empty versions', { package: { purl: 'pkg:npm/x', versions: '' } }, 'criteria.package.versions'],
    ['a place that is none', { package: { purl: 'pkg:npm/x', in: 'layers' } }, 'criteria.package.in'],
    ['an unknown severity', { advisory: { severity: 'hihg' } }, 'criteria.advisory.severity'],
    ['fixed as text', { advisory: { fixed: 'true' } }, 'criteria.advisory.fixed'],
    ['an id with a space', { advisory: { id: 'CVE 1' } }, 'criteria.advisory.id'],
    ['a file of anything', { file: { in: 'layer' } }, 'criteria.file'],
    ['a path from the root', { file: { path: '/etc/passwd' } }, 'criteria.file.path'],
    ['a path upwards', { file: { path: 'a/../b' } }, 'criteria.file.path'],
    ['an empty path', { file: { path: '' } }, 'criteria.file.path'],
    ['a short sha256', { file: { sha256: 'abc' } }, 'criteria.file.sha256'],
    ['a sha256 in upper case', { file: { sha256: 'A'.repeat(64) } }, 'criteria.file.sha256'],
  ])('refuses %s, naming the path, and so does the schema', (_, document, path) => {
    expect(problem(document)).toMatchObject({ code: 'invalid', detail: { path } });
    expect(schema.Check(document)).toBe(false);
  });

  it.each([
    [
      'versions beside a purl with a version',
      { package: { purl: 'pkg:npm/x@1.0.0', versions: '<2' } },
      'criteria.package.versions',
    ],
    [
      'versions that are no range',
      { package: { purl: 'pkg:npm/x', versions: '^1' } },
      'criteria.package.versions',
    ],
    [
      'versions of an ecosystem without scheme',
      { package: { purl: 'pkg:cocoapods/a', versions: '<2' } },
      'criteria.package.versions',
    ],
    ['a kind of secrets that there is none of', { secret: { kind: 'aws' } }, 'criteria.secret.kind'],
    ['malware without a signature', { malware: { path: 'opt/*' } }, 'criteria.malware.signature'],
    ['a signature that is no glob', { malware: { signature: '{a' } }, 'criteria.malware.signature'],
    ['a purl without a name', { package: { purl: 'pkg:npm/' } }, 'criteria.package.purl'],
    [
      'too many nodes',
      { any: Array(limits.criteriaNodesMax).fill(lodash) },
      `criteria.any[${limits.criteriaNodesMax - 1}]`,
    ],
    [
      'too deep nesting',
      nested(limits.criteriaDepthMax + 1),
      `criteria${'.not'.repeat(limits.criteriaDepthMax)}`,
    ],
    ['a licence of several', { license: { anyOf: ['MIT', 'BSD'] } }, 'criteria.license.anyOf[1]'],
    ['an expression for a licence', { license: 'MIT OR ISC' }, 'criteria.license'],
    [
      'the 30th of February',
      { image: { pushedAfter: '2026-02-30T12:00:00Z' } },
      'criteria.image.pushedAfter',
    ],
    [
      'a day of publication that is none',
      { advisory: { publishedSince: '2026-02-30' } },
      'criteria.advisory.publishedSince',
    ],
    ['a glob over kinds of secrets that is none', { secret: { kind: 'aws-{' } }, 'criteria.secret.kind'],
    ['a range in a purl', { package: { purl: 'pkg:npm/x@^4' } }, 'criteria.package.purl'],
    ['versions in a purl', { package: { purl: 'pkg:npm/x@4.x' } }, 'criteria.package.purl'],
    ['a port that is none', { config: { port: '99999/tcp' } }, 'criteria.config.port'],
    [
      'a least size over the greatest',
      { file: { path: 'a', sizeMin: '2GB', sizeMax: '1GB' } },
      'criteria.file.sizeMin',
    ],
    [
      'times upside down',
      { image: { pushedAfter: '2026-12-01', pushedBefore: '2026-11-01T00:00:00Z' } },
      'criteria.image.pushedAfter',
    ],
    ['ages upside down', { image: { olderThan: '90d', newerThan: '24h' } }, 'criteria.image.olderThan'],
  ])('refuses %s, which the schema cannot say', (_, document, path) => {
    expect(problem(document)).toMatchObject({ code: 'invalid', detail: { path } });
  });

  it('reads criteria as deep and as many as the limits allow', () => {
    expect(parseCriteria(nested(limits.criteriaDepthMax))).toBeDefined();
    expect(parseCriteria({ any: Array(limits.criteriaNodesMax - 1).fill(lodash) })).toBeDefined();
  });

  it('suggests the word that was meant', () => {
    expect(problem({ advisory: { severity: 'hihg' } }).message).toContain("did you mean 'high'?");
    expect(problem({ pakage: {} }).message).toContain("did you mean 'package'?");
  });
});

describe('describeCriteria', () => {
  it.each([
    [{ advisory: {} }, 'an advisory applies'],
    [{ advisory: { severity: 'high', fixed: true } }, 'a fixable advisory of severity high or worse applies'],
    [{ advisory: { id: 'CVE-2021-23337', in: 'layer' } }, 'the advisory CVE-2021-23337 applies (in a layer)'],
    [
      { advisory: { severity: 'critical', fixed: false } },
      'a not yet fixed advisory of severity critical applies',
    ],
    [lodash, 'contains pkg:npm/lodash <4.17.21'],
    [{ package: { type: 'npm', name: '@babel/*' } }, 'contains a npm package named @babel/*'],
    [{ image: { repository: 'acme/**', olderThan: '90d' } }, 'is in acme/** and is older than 90d'],
    [
      { not: { file: { path: 'usr/bin/su', setuid: true } } },
      'not (contains a set-user-id file at usr/bin/su)',
    ],
    [
      { all: [lodash, { any: [lodash, { package: { purl: 'pkg:npm/x' } }] }] },
      'contains pkg:npm/lodash <4.17.21 and (contains pkg:npm/lodash <4.17.21 or contains pkg:npm/x)',
    ],
  ] as const satisfies readonly (readonly [Criteria, string])[])('%j', (document, sentence) => {
    expect(describeCriteria(parseCriteria(document))).toBe(sentence);
  });
});
