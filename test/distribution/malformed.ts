/**
 * Requests that are wrong, and what each is answered with. `line` may name `{blob}`, `{image}` (digests that are in
 * acme/shop), `{none}` (one that is not), `{session}` (an open upload that holds 4 bytes).
 */
export interface Malformed {
  readonly line: string;
  readonly status: number;
  readonly code: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type More = Pick<Malformed, 'headers' | 'body'>;
const row = (line: string, status: number, code: string, more: More = {}): Malformed => ({
  line,
  status,
  code,
  ...more,
});

const hex = (character: string, length: number) => character.repeat(length);

const notNames = [
  'Acme/shop',
  'acme/Shop',
  'acme/shop_',
  'acme/_shop',
  'acme/-shop',
  'acme/shop-',
  'acme/.shop',
  'acme/shop.',
  'acme/sh..op',
  'acme/sh___op',
  'acme/sh._op',
  'acme/sh%20op',
  'acme/sh%0Aop',
  'acme/sh%00op',
  'acme/sh%C3%B6p',
  'acme/sh%5Cop',
  'acme/sh:op',
  'acme/sh@op',
  'acme//shop',
  '/acme/shop',
  'acme/%2E%2E/shop',
  `acme/${hex('a', 256)}`,
];

const names: readonly Malformed[] = [
  ...notNames.map((name) => row(`GET /v2/${name}/manifests/1`, 400, 'NAME_INVALID')),
  ...notNames.slice(0, 8).map((name) => row(`GET /v2/${name}/tags/list`, 400, 'NAME_INVALID')),
  ...notNames.slice(0, 8).map((name) => row(`POST /v2/${name}/blobs/uploads/`, 400, 'NAME_INVALID')),
  ...notNames.slice(8, 16).map((name) => row(`GET /v2/${name}/blobs/{blob}`, 400, 'NAME_INVALID')),
  ...notNames.slice(8, 16).map((name) => row(`GET /v2/${name}/referrers/{blob}`, 400, 'NAME_INVALID')),
  row('GET /v2/acme/shop%/manifests/1', 400, 'NAME_INVALID'),
  row('GET /v2/acme/%FF/manifests/1', 400, 'NAME_INVALID'),
];

const notDigests = [
  'sha256:',
  'sha256:abc',
  `sha256:${hex('g', 64)}`,
  `sha256:${hex('A', 64)}`,
  `sha256:${hex('a', 63)}`,
  `sha256:${hex('a', 65)}`,
  `SHA256:${hex('a', 64)}`,
  `sha512:${hex('a', 64)}`,
  `sha384:${hex('a', 96)}`,
  `md5:${hex('a', 32)}`,
  `blake3:${hex('a', 64)}`,
  `sha256+b64:${hex('a', 64)}`,
  `sha256:${hex('a', 64)}%20`,
  ':',
];

const digests: readonly Malformed[] = [
  ...notDigests.map((digest) => row(`GET /v2/acme/shop/blobs/${digest}`, 400, 'DIGEST_INVALID')),
  ...notDigests.map((digest) => row(`GET /v2/acme/shop/manifests/${digest}`, 400, 'DIGEST_INVALID')),
  ...notDigests
    .slice(0, 6)
    .map((digest) => row(`DELETE /v2/acme/shop/blobs/${digest}`, 400, 'DIGEST_INVALID')),
  ...notDigests
    .slice(0, 6)
    .map((digest) => row(`GET /v2/acme/shop/referrers/${digest}`, 400, 'DIGEST_INVALID')),
  ...notDigests.slice(6).map((digest) => row(`PUT {session}?digest=${digest}`, 400, 'DIGEST_INVALID')),
  ...notDigests
    .slice(6)
    .map((digest) => row(`POST /v2/acme/shop/blobs/uploads/?mount=${digest}`, 400, 'DIGEST_INVALID')),
  ...notDigests
    .slice(0, 3)
    .map((digest) =>
      row(`POST /v2/acme/shop/blobs/uploads/?digest=${digest}`, 400, 'DIGEST_INVALID', { body: 'x' }),
    ),
  row('GET /v2/acme/shop/blobs/latest', 400, 'DIGEST_INVALID'),
  row('GET /v2/acme/shop/referrers/latest', 400, 'DIGEST_INVALID'),
  row('PUT {session}', 400, 'DIGEST_INVALID'),
  row('PUT {session}?digest=', 400, 'DIGEST_INVALID'),
  row('POST /v2/acme/shop/blobs/uploads/?digest-algorithm=md5', 400, 'DIGEST_INVALID'),
  row('POST /v2/acme/shop/blobs/uploads/?digest-algorithm=', 400, 'DIGEST_INVALID'),
  row('POST /v2/acme/shop/blobs/uploads/?digest={none}', 400, 'DIGEST_INVALID', { body: 'other' }),
  row('POST /v2/acme/shop/blobs/uploads/?mount={blob}&from=Acme/x', 400, 'NAME_INVALID'),
  row('POST /v2/acme/shop/blobs/uploads/?mount={blob}&from=', 400, 'NAME_INVALID'),
];

const tags: readonly Malformed[] = [
  ...['.hidden', '-dash', 'a%20b', 'a%2Bb', 'a%C3%A4', 'a%00', hex('t', 129), '%2e%2e', 'a,b', '~'].flatMap(
    (tag) => [
      row(`GET /v2/acme/shop/manifests/${tag}`, 400, 'NAME_INVALID'),
      row(`DELETE /v2/acme/shop/manifests/${tag}`, 400, 'NAME_INVALID'),
    ],
  ),
  row('PUT /v2/acme/shop/manifests/{none}?tag=.hidden', 400, 'NAME_INVALID', { body: '{}' }),
  row('PUT /v2/acme/shop/manifests/{none}?tag=', 400, 'NAME_INVALID', { body: '{}' }),
];

const unknown: readonly Malformed[] = [
  row('GET /v2/acme/shop/blobs/{none}', 404, 'BLOB_UNKNOWN'),
  row('DELETE /v2/acme/shop/blobs/{none}', 404, 'BLOB_UNKNOWN'),
  row('GET /v2/acme/shop/manifests/{none}', 404, 'MANIFEST_UNKNOWN'),
  row('GET /v2/acme/shop/manifests/never', 404, 'MANIFEST_UNKNOWN'),
  row('DELETE /v2/acme/shop/manifests/{none}', 404, 'MANIFEST_UNKNOWN'),
  row('DELETE /v2/acme/shop/manifests/never', 404, 'MANIFEST_UNKNOWN'),
  row('DELETE /v2/acme/never/manifests/1', 404, 'NAME_UNKNOWN'),
  row('DELETE /v2/acme/never/blobs/{none}', 404, 'NAME_UNKNOWN'),
  row('GET /v2/acme/never/tags/list', 404, 'NAME_UNKNOWN'),
  row('GET /v2/acme/never/manifests/1', 404, 'MANIFEST_UNKNOWN'),
  row('GET /v2/globex/shop/manifests/1', 404, 'NAME_UNKNOWN'),
  row('POST /v2/globex/shop/blobs/uploads/', 404, 'NAME_UNKNOWN'),
  row('GET /v2/acme/shop/blobs/uploads/none', 404, 'BLOB_UPLOAD_UNKNOWN'),
  row('PATCH /v2/acme/shop/blobs/uploads/none', 404, 'BLOB_UPLOAD_UNKNOWN', { body: 'x' }),
  row('PUT /v2/acme/shop/blobs/uploads/none?digest={none}', 404, 'BLOB_UPLOAD_UNKNOWN', { body: 'x' }),
  row('DELETE /v2/acme/shop/blobs/uploads/none', 404, 'BLOB_UPLOAD_UNKNOWN'),
  row('GET /v2/acme/shop/blobs/uploads/%00', 404, 'BLOB_UPLOAD_UNKNOWN'),
  ...[
    '/v2/acme',
    '/v2/acme/shop',
    '/v2/acme/shop/',
    '/v2/acme/shop/tags',
    '/v2/acme/shop/tags/',
    '/v2/_catalog/',
  ].map((path) => row(`GET ${path}`, 404, 'NAME_UNKNOWN')),
  row('GET /v2/acme/shop/tags/latest', 404, 'NAME_UNKNOWN'),
  row('GET /v2/acme/shop/manifests/', 404, 'NAME_UNKNOWN'),
  row('GET /v2/acme/shop/blobs/', 404, 'NAME_UNKNOWN'),
  row('GET /v2/manifests/1', 404, 'NAME_UNKNOWN'),
  row('GET /v2/_nothing', 404, 'NAME_UNKNOWN'),
  row('GET /v2nothing', 404, 'NAME_UNKNOWN'),
];

const methods: readonly Malformed[] = [
  row('DELETE /v2/', 405, 'UNSUPPORTED'),
  row('POST /v2/', 405, 'UNSUPPORTED'),
  row('PUT /v2/_catalog', 405, 'UNSUPPORTED', { body: '{}' }),
  row('POST /v2/acme/shop/tags/list', 405, 'UNSUPPORTED'),
  row('DELETE /v2/acme/shop/tags/list', 405, 'UNSUPPORTED'),
  row('PUT /v2/acme/shop/referrers/{blob}', 405, 'UNSUPPORTED', { body: '{}' }),
  row('POST /v2/acme/shop/manifests/1', 405, 'UNSUPPORTED', { body: '{}' }),
  row('PATCH /v2/acme/shop/manifests/1', 405, 'UNSUPPORTED', { body: '{}' }),
  row('PUT /v2/acme/shop/blobs/{blob}', 405, 'UNSUPPORTED', { body: 'x' }),
  row('POST /v2/acme/shop/blobs/{blob}', 405, 'UNSUPPORTED', { body: 'x' }),
  row('PATCH /v2/acme/shop/blobs/{blob}', 405, 'UNSUPPORTED', { body: 'x' }),
  row('GET /v2/acme/shop/blobs/uploads/', 405, 'UNSUPPORTED'),
  row('PUT /v2/acme/shop/blobs/uploads/', 405, 'UNSUPPORTED', { body: 'x' }),
  row('DELETE /v2/acme/shop/blobs/uploads/', 405, 'UNSUPPORTED'),
  row('POST {session}', 405, 'UNSUPPORTED'),
  row('OPTIONS /v2/', 405, 'UNSUPPORTED'),
  row('OPTIONS /v2/acme/shop/manifests/1', 405, 'UNSUPPORTED'),
  row('TRACE /v2/acme/shop/manifests/1', 405, 'UNSUPPORTED'),
];

const chunk = (line: string, range: string, status: number, code: string, body = 'more') =>
  row(line, status, code, { body, headers: { 'content-range': range } });

const uploads: readonly Malformed[] = [
  ...[
    '',
    'x',
    '4',
    '4-',
    '-7',
    '7-4',
    'a-b',
    '4-7-9',
    '4-7, 8-9',
    'bytes',
    'bytes=4',
    'lines 4-7/*',
    '4-7/x',
    '-1-7',
  ].map((range) => chunk('PATCH {session}', range, 400, 'BLOB_UPLOAD_INVALID')),
  ...['0-3', '2-5', '5-8', '1000-1003'].map((range) =>
    chunk('PATCH {session}', range, 416, 'BLOB_UPLOAD_INVALID'),
  ),
  chunk('PATCH {session}', '999999999999999-999999999999999', 413, 'SIZE_INVALID', 'm'),
  chunk('PATCH {session}', '4-9', 400, 'SIZE_INVALID'),
  chunk('PATCH {session}', '4-5', 400, 'SIZE_INVALID'),
  chunk('PUT {session}?digest={none}', '0-3', 416, 'BLOB_UPLOAD_INVALID'),
  chunk('PUT {session}?digest={none}', '7', 400, 'BLOB_UPLOAD_INVALID'),
];

const lists: readonly Malformed[] = [
  ...['n=-1', 'n=x', 'n=1.5', 'n=', 'n=1e3', 'n=9999999999', 'n=%00', 'last=a%00b'].flatMap((query) => [
    row(`GET /v2/acme/shop/tags/list?${query}`, 400, 'UNSUPPORTED'),
    row(`GET /v2/_catalog?${query}`, 400, 'UNSUPPORTED'),
    row(`GET /v2/acme/shop/referrers/{blob}?${query}`, 400, 'UNSUPPORTED'),
  ]),
  row('GET /v2/acme/shop/referrers/{blob}?artifactType=%00', 400, 'UNSUPPORTED'),
];

const ranges: readonly Malformed[] = ['bytes=10-', 'bytes=5-4', 'bytes=-0', 'bytes=99-100'].map((range) =>
  row('GET /v2/acme/shop/blobs/{blob}', 416, 'SIZE_INVALID', { headers: { range } }),
);

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const credentials: readonly Malformed[] = [
  '',
  'Basic',
  'Basic !',
  'Bearer',
  'Bearer x.y.z',
  'Digest username="acme-ci"',
  'Negotiate abc',
  basic('acme-ci'),
  basic('acme-ci:'),
  basic('acme-ci:wrong'),
  basic('nobody:x'),
  basic(':'),
  basic('a\0b:c'),
].map((authorization) =>
  row('GET /v2/acme/shop/manifests/1', 401, 'UNAUTHORIZED', { headers: { authorization } }),
);

export const malformed: readonly Malformed[] = [
  ...names,
  ...digests,
  ...tags,
  ...unknown,
  ...methods,
  ...uploads,
  ...lists,
  ...ranges,
  ...credentials,
];
