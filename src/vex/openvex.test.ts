import { expect, test } from 'vitest';
import { Field } from '../lib/fields.ts';
import { parseVexDocument } from './openvex.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const image = `pkg:oci/shop@${encodeURIComponent(digest)}?repository_url=registry.example.com/acme/shop`;
const statement = {
  vulnerability: { name: 'CVE-2021-44228', aliases: ['GHSA-jfh8-c2jp-5v3q'] },
  products: [
    { '@id': image, subcomponents: [{ '@id': 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1' }] },
  ],
  status: 'not_affected',
  justification: 'vulnerable_code_not_in_execute_path',
  impact_statement: 'no lookups are made',
};
const document = {
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://acme.example/vex/shop',
  author: 'Acme Security',
  timestamp: '2026-01-01T00:00:00Z',
  last_updated: '2026-02-01T00:00:00Z',
  version: 2,
  statements: [statement],
};
const parse = (value: object) => parseVexDocument(new Field(value, 'vex'));
const addressed = (product: object) => {
  const [{ targets = [], unaddressed = [] } = {}] = parse({
    ...document,
    statements: [{ ...statement, products: [product] }],
  }).statements;
  return { targets, unaddressed };
};

test('a document is read with what it says of which products', () => {
  expect(parse(document)).toEqual({
    id: 'https://acme.example/vex/shop',
    author: 'Acme Security',
    version: 2,
    issuedAt: Date.UTC(2026, 1, 1),
    statements: [
      {
        path: 'vex.statements[0]',
        status: 'not_affected',
        advisory: 'CVE-2021-44228',
        aliases: ['GHSA-jfh8-c2jp-5v3q'],
        justification: 'vulnerable_code_not_in_execute_path',
        text: 'no lookups are made',
        targets: [
          {
            path: 'vex.statements[0].products[0].subcomponents[0]',
            imageDigest: digest,
            repository: null,
            purl: 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
          },
        ],
        unaddressed: [],
      },
    ],
  });
});

const { justification: _, impact_statement: __, ...unjustified } = statement;
test.each<[string, object, string]>([
  ['no context', { '@context': undefined }, 'vex["@context"]: is missing'],
  ['another version of OpenVEX', { '@context': 'https://openvex.dev/ns/v0.0.1' }, 'vex["@context"]: '],
  ['no author', { author: undefined }, 'vex.author: is missing'],
  ['a version that is text', { version: '2' }, 'vex.version: must be an integer'],
  ['a time that is none', { last_updated: 'yesterday' }, "vex.last_updated: 'yesterday' is not a time"],
  ['no statements', { statements: {} }, 'vex.statements: must be a list'],
  ['a status that is none', { statements: [{ ...statement, status: 'fine' }] }, 'vex.statements[0].status: '],
  ['no vulnerability', { statements: [{ status: 'fixed' }] }, 'vex.statements[0].vulnerability: is missing'],
  [
    'a justification that is none',
    { statements: [statement, { ...statement, justification: 'trust_me' }] },
    'vex.statements[1].justification: ',
  ],
  ['not_affected without why', { statements: [unjustified] }, "vex.statements[0]: 'not_affected' needs"],
])('%s is an error with its path', (_, change, message) => {
  expect(() => parse({ ...document, ...change })).toThrow(message);
});

test.each<[string, object, object]>([
  ['an image by digest', { '@id': image }, { imageDigest: digest, repository: null, purl: null }],
  [
    'an image by digest, as many write it',
    { '@id': `pkg:oci/shop@${digest}?arch=amd64&tag=1` },
    { imageDigest: digest, repository: null, purl: null },
  ],
  [
    'a repository',
    { '@id': 'pkg:oci/shop?repository_url=localhost:5000/acme/shop' },
    { imageDigest: null, repository: 'acme/shop', purl: null },
  ],
  [
    'a package, by an identifier',
    { '@id': 'https://example.com/lodash', identifiers: { purl: 'pkg:npm/lodash' } },
    { imageDigest: null, repository: null, purl: 'pkg:npm/lodash' },
  ],
])('a product is addressed: %s', (_, product, target) => {
  expect(addressed(product)).toEqual({ targets: [expect.objectContaining(target)], unaddressed: [] });
});

test.each<[string, object, string]>([
  ['no purl', { '@id': 'https://example.com/shop' }, 'has no package URL'],
  ['a broken purl', { '@id': 'pkg:' }, 'has no package URL'],
  ['an image by a tag', { '@id': 'pkg:oci/shop?repository_url=x.example/acme/shop&tag=1' }, 'may move'],
  ['a folder', { '@id': 'pkg:oci/shop?repository_url=x.example/acme' }, 'ends with its name'],
  ['an image by its last name', { '@id': 'pkg:oci/shop' }, 'names no digest'],
  [
    'a package in a package',
    { '@id': 'pkg:npm/a', subcomponents: [{ '@id': 'pkg:npm/b' }] },
    'what is in what',
  ],
])('a product that can not be told in an image is reported: %s', (_, product, reason) => {
  const { targets, unaddressed } = addressed(product);
  expect(targets).toEqual([]);
  expect(unaddressed).toEqual([
    { path: 'vex.statements[0].products[0]', reason: expect.stringContaining(reason) },
  ]);
});
