import Type from 'typebox';
import { nothing, route } from './route.ts';
import { containerSchema, evidenceSchema, scanScopeSchema, textOrNull } from './scans.ts';

const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);
const reachSchema = Type.Union([Type.Literal('layer'), Type.Literal('image')]);
const unknownSchema = Type.Union([Type.Literal('allow'), Type.Literal('refuse')], {
  description: 'of reach image: what becomes of an image whose inspection ended without an answer',
});
const named = Type.Object({ name: Type.String() });
const reasonText = Type.String({ minLength: 1, maxLength: 1024 });

export const markSchema = Type.Object({
  target: Type.Union([Type.Literal('layer'), Type.Literal('manifest'), Type.Literal('repository')]),
  digest: textOrNull,
  diffId: textOrNull,
  repositoryGlob: textOrNull,
  evidence: Type.Array(evidenceSchema),
});

export const radiusSchema = Type.Object({
  layers: Type.Array(Type.Object({ digest: Type.String(), diffId: textOrNull, sizeBytes: Type.Integer() })),
  images: Type.Array(
    Type.Object({
      repository: Type.String(),
      digest: Type.String(),
      tags: Type.Array(Type.String()),
      reachImage: Type.Union([Type.Literal('refused'), Type.Literal('spared'), Type.Literal('undecided')], {
        description: 'what reach image makes of it; undecided: refused until its inspection has ended',
      }),
    }),
  ),
  regions: Type.Array(Type.String()),
  containers: Type.Array(containerSchema),
});

export const planSchema = Type.Object({
  name: Type.String({ description: 'P-7' }),
  effect: Type.Union([Type.Literal('quarantine'), Type.Literal('destroy'), Type.Literal('retention')]),
  request: Type.Object({
    cause: Type.String(),
    criteria: Type.Unknown(),
    reach: reachSchema,
    unknown: unknownSchema,
    retentionMs: Type.Integer(),
    retainUntil: Type.Optional(
      Type.Integer({ description: 'of a change of retention: until when the bytes are kept' }),
    ),
    marks: Type.Array(markSchema),
  }),
  radius: radiusSchema,
  position: Type.Integer(),
  account: textOrNull,
  author: Type.String(),
  createdAt: Type.Integer(),
  appliedAt: integerOrNull,
  quarantineUid: textOrNull,
});

export const quarantineSchema = Type.Object({
  uid: Type.String(),
  name: Type.String({ description: 'Q-17' }),
  origin: Type.String({ description: 'the region that set it' }),
  version: Type.Integer(),
  scopeAccount: textOrNull,
  reach: reachSchema,
  unknown: unknownSchema,
  cause: Type.String(),
  criteria: Type.Unknown(),
  reason: Type.String(),
  ticket: textOrNull,
  author: Type.String(),
  createdAt: Type.Integer(),
  changedAt: Type.Integer({ description: 'when this version was made' }),
  retainUntil: Type.Integer(),
  legalHold: Type.Boolean(),
  legalHoldReason: textOrNull,
  destroyRequestedAt: integerOrNull,
  releasedAt: integerOrNull,
  releasedBy: textOrNull,
  releaseReason: textOrNull,
  marks: Type.Array(markSchema),
});

export const acknowledgementSchema = Type.Object({
  region: Type.String(),
  version: Type.Integer(),
  acknowledgedAt: integerOrNull,
});

export const quarantineStateSchema = Type.Object({
  quarantine: quarantineSchema,
  radius: radiusSchema,
  acknowledgements: Type.Array(acknowledgementSchema),
});

const digestList = Type.Array(Type.String({ pattern: '^sha256:[a-f0-9]{64}$' }), { maxItems: 100 });

const targetsSchema = Type.Object(
  {
    layers: Type.Optional(digestList),
    manifests: Type.Optional(digestList),
    repositories: Type.Optional(
      Type.Array(Type.String({ description: "a glob: 'acme/legacy/**'" }), { maxItems: 100 }),
    ),
  },
  { additionalProperties: false },
);

export const planCreate = route({
  name: 'planCreate',
  method: 'POST',
  path: '/api/v1/plans',
  summary: 'Preview a quarantine: of an answered scan, of criteria over a scope, or of what is named',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      scan: Type.Optional(Type.String()),
      criteria: Type.Optional(Type.Unknown()),
      scope: Type.Optional(scanScopeSchema),
      targets: Type.Optional(targetsSchema),
      reach: Type.Optional(reachSchema),
      unknown: Type.Optional(unknownSchema),
      retention: Type.Optional(Type.String({ description: '30d' })),
    },
    { additionalProperties: false },
  ),
  response: planSchema,
  answer: 'json',
});

export const planShow = route({
  name: 'planShow',
  method: 'GET',
  path: '/api/v1/plans/:name',
  summary: 'What a plan would do',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: planSchema,
  answer: 'json',
});

export const planApply = route({
  name: 'planApply',
  method: 'POST',
  path: '/api/v1/plans/:name/apply',
  summary: 'Do exactly what the plan showed',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object(
    { reason: reasonText, ticket: Type.Optional(Type.String({ maxLength: 256 })) },
    { additionalProperties: false },
  ),
  response: quarantineSchema,
  answer: 'json',
});

export const quarantineListRoute = route({
  name: 'quarantineList',
  method: 'GET',
  path: '/api/v1/quarantines',
  summary: 'The quarantines that bind what the caller may see, newest first',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ all: Type.Optional(Type.Boolean({ description: 'released ones too' })) }),
  body: nothing,
  response: Type.Object({ quarantines: Type.Array(quarantineSchema) }),
  answer: 'json',
});

export const quarantineShow = route({
  name: 'quarantineShow',
  method: 'GET',
  path: '/api/v1/quarantines/:name',
  summary: 'A quarantine, what it reaches now, and which regions have acknowledged it',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: quarantineStateSchema,
  answer: 'json',
});

export const quarantineReleaseRoute = route({
  name: 'quarantineRelease',
  method: 'POST',
  path: '/api/v1/quarantines/:name/release',
  summary: 'Lift a quarantine; what was stopped stays stopped',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object({ reason: reasonText }, { additionalProperties: false }),
  response: quarantineSchema,
  answer: 'json',
});

export const quarantineDestroy = route({
  name: 'quarantineDestroy',
  method: 'POST',
  path: '/api/v1/quarantines/:name/destroy',
  summary: 'Plan to end the retention now: the bytes go, in every region, for good',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: planSchema,
  answer: 'json',
});

export const quarantineRetention = route({
  name: 'quarantineRetention',
  method: 'POST',
  path: '/api/v1/quarantines/:name/retention',
  summary: 'Plan to keep the bytes for so long from now, longer or shorter than before',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object({ retention: Type.String({ description: '30d' }) }, { additionalProperties: false }),
  response: planSchema,
  answer: 'json',
});

export const quarantineHoldRoute = route({
  name: 'quarantineHold',
  method: 'POST',
  path: '/api/v1/quarantines/:name/hold',
  summary: 'Set or lift a legal hold: while it stands, nothing that is marked is collected or destroyed',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object({ hold: Type.Boolean(), reason: reasonText }, { additionalProperties: false }),
  response: quarantineSchema,
  answer: 'json',
});
