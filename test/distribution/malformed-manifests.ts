import { configType, manifestType } from '../support/distribution-world.ts';
import type { Malformed } from './malformed.ts';

/** Manifests that are refused, in whole or for one member. */
const indexType = 'application/vnd.oci.image.index.v1+json';
const dockerType = 'application/vnd.docker.distribution.manifest.v2+json';
const schema1Type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const nowhere = `sha256:${'0'.repeat(64)}`;
const config = { mediaType: configType, digest: nowhere, size: 2 };
const image = { schemaVersion: 2, mediaType: manifestType, config, layers: [] };
const index = { schemaVersion: 2, mediaType: indexType, manifests: [] };
const child = { mediaType: manifestType, digest: nowhere, size: 2 };

const put = (document: unknown, contentType: string, code = 'MANIFEST_INVALID'): Malformed => ({
  line: 'PUT /v2/acme/shop/manifests/bad',
  status: code === 'MANIFEST_BLOB_UNKNOWN' ? 404 : 400,
  code,
  headers: contentType === '' ? {} : { 'content-type': contentType },
  body: typeof document === 'string' ? document : JSON.stringify(document),
});

const texts: readonly Malformed[] = [
  ...[
    '',
    ' ',
    '{',
    'null',
    '[]',
    '"text"',
    '1',
    'true',
    '{"a":1,}',
    '{}{}',
    "{'a':1}",
    '\ufeff{}',
    '[[[[',
    '{"a":NaN}',
  ].map((text) => put(text, manifestType)),
];

const types: readonly Malformed[] = [
  put({}, ''),
  put({ schemaVersion: 2 }, ''),
  put(image, indexType),
  put(index, manifestType),
  put(image, 'application/json'),
  put(image, 'text/plain'),
  put(image, dockerType),
  put({ ...image, mediaType: 'application/json' }, ''),
  put({ ...image, mediaType: 7 }, ''),
  put({ ...image, mediaType: 'no type' }, ''),
  put({ ...image, schemaVersion: 1 }, manifestType),
  put({ ...image, schemaVersion: '2' }, manifestType),
  put({ ...image, schemaVersion: 3 }, manifestType),
  put({ schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [] }, schema1Type),
  put({ ...image, mediaType: schema1Type }, schema1Type),
  put({ ...image, manifests: [] }, manifestType),
  put({ ...index, layers: [] }, indexType),
  put({ ...index, config }, indexType),
  put({ ...index, fsLayers: [] }, indexType),
];

const digestless = [
  { ...config, digest: 'sha256:abc' },
  { ...config, digest: `md5:${'0'.repeat(32)}` },
  { ...config, digest: nowhere.toUpperCase() },
  { ...config, digest: 7 },
  { ...config, size: -1 },
  { ...config, size: 1.5 },
  { ...config, size: '2' },
  { ...config, size: 2 ** 60 },
  { ...config, mediaType: '' },
  { ...config, mediaType: 'json' },
  { ...config, mediaType: 'a/b; c=d' },
  { ...config, annotations: { a: 1 } },
  { ...config, annotations: ['a'] },
  { ...config, data: 'not base64!' },
  { ...config, data: 'e30' },
  { ...config, data: 'e30=' },
  { ...config, urls: 'https://a' },
  { ...config, platform: 'linux' },
  { mediaType: configType, size: 2 },
  { mediaType: configType, digest: nowhere },
  { digest: nowhere, size: 2 },
  'text',
  null,
  [],
];

const members: readonly Malformed[] = [
  ...digestless.map((broken) => put({ ...image, config: broken }, manifestType)),
  ...digestless.slice(0, 12).map((broken) => put({ ...image, layers: [broken] }, manifestType)),
  ...digestless.slice(0, 12).map((broken) => put({ ...index, manifests: [broken] }, indexType)),
  ...digestless.slice(0, 8).map((broken) => put({ ...image, subject: broken }, manifestType)),
  put({ ...image, layers: {} }, manifestType),
  put({ ...image, layers: 'none' }, manifestType),
  put({ ...index, manifests: {} }, indexType),
  put({ ...index, manifests: Array.from({ length: 1_001 }, () => child) }, indexType),
  put({ ...image, annotations: { a: null } }, manifestType),
  put({ ...image, artifactType: 'none' }, manifestType),
  put({ ...image, artifactType: 7 }, manifestType),
  put({ ...image, Layers: [] }, manifestType),
  put({ ...image, MEDIATYPE: indexType }, manifestType),
  put({ ...image, layerſ: [] }, manifestType),
  put({ ...image, config: { ...config, Digest: nowhere } }, manifestType),
];

const missing: readonly Malformed[] = [
  put(image, manifestType, 'MANIFEST_BLOB_UNKNOWN'),
  put({ ...image, artifactType: 'application/x' }, manifestType, 'MANIFEST_BLOB_UNKNOWN'),
];

const named: readonly Malformed[] = [
  { ...put(index, indexType, 'DIGEST_INVALID'), line: `PUT /v2/acme/shop/manifests/${nowhere}` },
  {
    ...put(index, indexType, 'DIGEST_INVALID'),
    line: `PUT /v2/acme/shop/manifests/sha512:${'0'.repeat(128)}?tag=bad`,
  },
  { ...put(' '.repeat(4 * 1024 * 1024 + 1), indexType), status: 413 },
];

export const malformedManifests: readonly Malformed[] = [
  ...texts,
  ...types,
  ...members,
  ...missing,
  ...named,
];
