import Type from 'typebox';
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
  verdict: Type.Union([Type.Literal('match'), Type.Literal('unknown')]),
  reason: textOrNull,
  evidence: Type.Array(evidenceSchema),
  above: Type.Object({
    tags: Type.Array(Type.Object({ repository: Type.String(), tag: Type.String() })),
    indexes: Type.Array(Type.String()),
    containers: Type.Array(containerSchema),
  }),
});

export const scanAnswerSchema = Type.Object({
  name: Type.String({ description: 'S-31' }),
  question: Type.String(),
  tookMs: Type.Number(),
  position: Type.Integer({ description: 'the log position that was answered from' }),
  images: Type.Array(scanResultSchema),
  counts: Type.Object({
    match: Type.Integer(),
    unknown: Type.Integer(),
    noMatch: Type.Integer(),
    tags: Type.Integer(),
    containers: Type.Integer(),
    regions: Type.Integer(),
  }),
  covers: Type.Object({
    images: Type.Integer(),
    uninspected: Type.Integer(),
    advisorySources: Type.Array(
      Type.Object({ source: Type.String(), importedAt: integerOrNull, documents: Type.Integer() }),
    ),
    truncated: Type.Boolean(),
  }),
});

/** Of one image, a glob of repositories, or (neither) everything that the caller may see. */
export const scanScopeSchema = Type.Object(
  {
    image: Type.Optional(Type.String({ description: 'acme/shop:1 or acme/shop@sha256:…' })),
    repositories: Type.Optional(Type.String({ description: 'a glob: acme/**' })),
  },
  { additionalProperties: false },
);

export const scanCreate = route({
  name: 'scanCreate',
  method: 'POST',
  path: '/api/v1/scans',
  summary: 'Search the metadata of images for criteria',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object({ criteria: Type.Unknown(), scope: scanScopeSchema }, { additionalProperties: false }),
  response: scanAnswerSchema,
  answer: 'json',
});

export const scanShow = route({
  name: 'scanShow',
  method: 'GET',
  path: '/api/v1/scans/:name',
  summary: 'Read an answered scan again',
  audience: 'caller',
  params: Type.Object({ name: Type.String() }),
  query: nothing,
  body: nothing,
  response: scanAnswerSchema,
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
