import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';

export const textOrNull = Type.Union([Type.String(), Type.Null()]);
const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);

export const evidenceSchema = Type.Object({
  layer: Type.Union([Type.String(), Type.Null()], { description: 'digest of the layer; null: the config' }),
  path: textOrNull,
  purl: textOrNull,
  advisory: textOrNull,
  severity: textOrNull,
  fixedVersion: textOrNull,
  secret: Type.Optional(Type.String({ description: 'kind of a secret' })),
  line: Type.Optional(Type.Integer()),
  malware: Type.Optional(Type.String({ description: 'signature of malware' })),
});

export const containerSchema = Type.Object({
  uid: Type.String(),
  deployment: Type.String(),
  account: Type.String({ description: 'the entity that its instance belongs to' }),
  region: Type.String(),
  instance: Type.String(),
  state: Type.String(),
});

export const scanResultSchema = Type.Object({
  repository: Type.String(),
  digest: Type.String(),
  platform: textOrNull,
  verdict: Type.Union([Type.Literal('match'), Type.Literal('unknown')], {
    description: 'when the scan was answered',
  }),
  verdictNow: Type.Union([Type.Literal('match'), Type.Literal('unknown'), Type.Literal('noMatch')]),
  reason: textOrNull,
  evidence: Type.Array(evidenceSchema, { description: `the first ${limits.scanEvidenceMax}` }),
  evidenceCount: Type.Integer(),
  above: Type.Object({
    tags: Type.Array(Type.Object({ repository: Type.String(), tag: Type.String() })),
    indexes: Type.Array(Type.String()),
    containers: Type.Array(containerSchema),
  }),
  pushedAt: integerOrNull,
  pulledAt: integerOrNull,
  readWith: Type.Array(Type.Integer(), { description: 'numbers of covers.inventories' }),
});

const next = Type.Union([Type.String(), Type.Null()], {
  description: '`after` of the next page; null: the last',
});

export const scanAnswerSchema = Type.Object({
  name: Type.String({ description: 'S-31' }),
  question: Type.String(),
  answeredAt: Type.Integer(),
  tookMs: Type.Number(),
  position: Type.Integer({ description: 'the log position that was answered from' }),
  images: Type.Array(scanResultSchema, { description: 'the first page' }),
  next,
  counts: Type.Object({
    match: Type.Integer(),
    unknown: Type.Integer(),
    noMatch: Type.Integer(),
    tags: Type.Integer({
      description: `of the images that match; if they are more than ${limits.scanTagsMax}, of so many of them`,
    }),
    containers: Type.Integer(),
    regions: Type.Integer(),
  }),
  covers: Type.Object({
    images: Type.Integer(),
    uninspected: Type.Integer(),
    advisorySources: Type.Array(
      Type.Object({
        source: Type.String(),
        kind: Type.Optional(
          Type.Union([Type.Literal('osv'), Type.Literal('kev'), Type.Literal('epss')], {
            description: 'advisories, known exploited vulnerabilities, or scores of EPSS',
          }),
        ),
        importedAt: Type.Union([Type.Integer(), Type.Null()], {
          description: 'null: it could never be loaded',
        }),
        documents: Type.Integer(),
        unreadable: Type.Optional(
          Type.Integer({ description: 'documents that can’t be read: what they name is unknown' }),
        ),
        error: Type.Optional(
          Type.Union([Type.String(), Type.Null()], { description: 'why the last fetch failed' }),
        ),
      }),
    ),
    inventories: Type.Array(Type.Object({ number: Type.Integer(), extractors: Type.String() }), {
      description: 'what layers are read with: apk@1 dpkg@2',
    }),
    running: Type.Object({ known: Type.Integer(), neverSeen: Type.Integer() }),
    regions: Type.Array(Type.Object({ name: Type.String(), self: Type.Boolean(), heardAt: integerOrNull })),
    excepted: Type.Object({
      images: Type.Integer({
        description: 'don’t match, and have a finding that was asked for under an exception',
      }),
      by: Type.Array(
        Type.Object({
          name: Type.String({ description: 'E-3' }),
          account: textOrNull,
          advisory: Type.String(),
          status: Type.String(),
          justification: textOrNull,
          author: Type.String(),
          expiresAt: integerOrNull,
          images: Type.Integer(),
        }),
        { description: `the first ${limits.scanExceptionsMax}` },
      ),
    }),
    truncated: Type.Boolean(),
  }),
});

/** Of one image, a glob of repositories, an account, or (none of these) everything that the caller may see. */
export const scanScopeSchema = Type.Object(
  {
    image: Type.Optional(Type.String({ description: 'acme/shop:1 or acme/shop@sha256:…' })),
    repositories: Type.Optional(Type.String({ description: 'a glob: acme/**' })),
    account: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

const order = Type.Union(
  [Type.Literal('severity'), Type.Literal('name'), Type.Literal('pushed'), Type.Literal('pulled')],
  { description: 'the worst, the first, or the latest first' },
);
const pageSize = Type.Optional(
  Type.Integer({ minimum: 0, maximum: limits.scanPageMax, description: `default ${limits.scanPageDefault}` }),
);
const named = Type.Object({ name: Type.String({ description: 'S-31' }) });

export const scanCreate = route({
  name: 'scanCreate',
  method: 'POST',
  path: '/api/v1/scans',
  summary: 'Search the metadata of images for criteria',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    { criteria: Type.Unknown(), scope: scanScopeSchema, order: Type.Optional(order), limit: pageSize },
    { additionalProperties: false },
  ),
  response: scanAnswerSchema,
  answer: 'json',
});

export const scanLive = route({
  name: 'scanLive',
  method: 'POST',
  path: '/api/v1/scans/live',
  summary: 'Search the metadata of images for criteria, and say what is found while it is',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    { criteria: Type.Unknown(), scope: scanScopeSchema, order: Type.Optional(order), limit: pageSize },
    {
      additionalProperties: false,
      description: 'limit: images that are shown as they are found, the others in order',
    },
  ),
  response: Type.Union([
    Type.Object({ image: scanResultSchema }),
    Type.Object({
      matchAtLeast: Type.Integer({
        description: `early: at most ${limits.scanFirstMax} of each kind of criteria are counted`,
      }),
      isAll: Type.Boolean({ description: 'no others match' }),
    }),
    Type.Object(
      { answer: Type.Omit(scanAnswerSchema, ['images', 'next']) },
      { description: 'the last line: it can be read again by its name' },
    ),
  ]),
  answer: 'lines',
});

export const scanShow = route({
  name: 'scanShow',
  method: 'GET',
  path: '/api/v1/scans/:name',
  summary: 'Read an answered scan again',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: scanAnswerSchema,
  answer: 'json',
});

export const scanImages = route({
  name: 'scanImages',
  method: 'GET',
  path: '/api/v1/scans/:name/images',
  summary: 'Read a page of the images of an answered scan',
  audience: 'caller',
  params: named,
  query: Type.Object({
    after: Type.Optional(Type.String({ maxLength: 20, description: '`next` of the page before' })),
    limit: pageSize,
    order: Type.Optional(order),
    verdict: Type.Optional(Type.Union([Type.Literal('match'), Type.Literal('unknown')])),
  }),
  body: nothing,
  response: Type.Object({
    images: Type.Array(scanResultSchema),
    next,
    gone: Type.Integer({ description: 'images of this page that their repository does not have any more' }),
  }),
  answer: 'json',
});

export const scanStream = route({
  name: 'scanStream',
  method: 'GET',
  path: '/api/v1/scans/:name/stream',
  summary: 'All images of an answered scan, a line each',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: scanResultSchema,
  answer: 'lines',
});

const namedImageSchema = Type.Object({
  repository: Type.String(),
  digest: Type.String(),
  platform: textOrNull,
});

const changedSchema = Type.Object({
  image: Type.Union([namedImageSchema, Type.Null()]),
  other: Type.Union([Type.Literal('match'), Type.Literal('unknown'), Type.Literal('absent')], {
    description: 'what the other scan said of it',
  }),
});

export const scanCompare = route({
  name: 'scanCompare',
  method: 'GET',
  path: '/api/v1/scans/:name/diff',
  summary: 'What an answered scan says otherwise than an earlier one to the same question',
  audience: 'caller',
  params: named,
  query: Type.Object({ since: Type.String({ description: 'the earlier one: S-30' }) }),
  body: nothing,
  response: Type.Object({
    before: Type.String(),
    after: Type.String(),
    question: Type.String(),
    appeared: Type.Array(changedSchema),
    renewed: Type.Array(
      Type.Object({
        image: namedImageSchema,
        evidence: Type.Array(evidenceSchema, { description: `the first ${limits.scanEvidenceMax}` }),
        evidenceCount: Type.Integer(),
      }),
      { description: `as before, with findings that are new; of the first ${limits.scanPageMax} of them` },
    ),
    ended: Type.Array(changedSchema),
    unknown: Type.Array(changedSchema),
    stayed: Type.Integer(),
  }),
  answer: 'json',
});

export const criteriaSchemaShow = route({
  name: 'criteriaSchemaShow',
  method: 'GET',
  path: '/api/v1/schemas/criteria.json',
  summary: 'The JSON Schema of criteria',
  audience: 'anyone',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Unknown(),
  answer: 'json',
});
