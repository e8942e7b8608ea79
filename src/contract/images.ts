import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);
export const imageReference = Type.String({
  maxLength: 512,
  description: 'acme/shop:1 or acme/shop@sha256:…',
});
export const imagePlatform = Type.String({
  maxLength: 100,
  description: 'of an index: the one of its images for linux/amd64',
});
const limit = Type.Integer({ minimum: 1, maximum: limits.apiPageMax, default: limits.apiPageDefault });
export const inspectionState = Type.Union(
  [Type.Literal('pending'), Type.Literal('done'), Type.Literal('unknown'), Type.Literal('notApplicable')],
  { description: 'of its inspection; unknown is neither clean nor affected' },
);

const quarantined = Type.Union([Type.Object({ name: Type.String(), reason: Type.String() }), Type.Null()], {
  description: 'what refuses it at every door',
});

export const listedImageSchema = Type.Object({
  repository: Type.String(),
  digest: Type.String(),
  kind: Type.String({ description: 'image or index' }),
  platform: textOrNull,
  tags: Type.Array(Type.String()),
  sizeBytes: Type.Integer({ description: 'of config and layers, as stored' }),
  layers: Type.Integer(),
  packages: Type.Integer(),
  state: Type.Union([inspectionState, Type.Literal('withdrawn'), Type.Null()], {
    description: 'null: an index, whose images are listed by themselves',
  }),
  reason: textOrNull,
  quarantine: quarantined,
  pushedAt: Type.Integer({ description: 'milliseconds since 1970' }),
});

export const imageListRoute = route({
  name: 'imageList',
  method: 'GET',
  path: '/api/v1/images',
  summary: 'The images in the repositories that the caller may pull from',
  audience: 'caller',
  params: nothing,
  query: Type.Object({
    account: Type.Optional(Type.String()),
    repository: Type.Optional(Type.String()),
    after: Type.Optional(Type.String({ description: '`next` of the page before' })),
    limit,
  }),
  body: nothing,
  response: Type.Object({ images: Type.Array(listedImageSchema), next: textOrNull }),
  answer: 'json',
});

export const inventoryVersion = Type.Integer({
  description:
    'with which extractors it was read: a number of this region, higher for newer ones; 0: with none of this region',
});

export const shownLayerSchema = Type.Object({
  digest: Type.String(),
  mediaType: Type.String(),
  sizeBytes: Type.Integer(),
  state: inspectionState,
  reason: textOrNull,
  diffId: textOrNull,
  entries: Type.Integer(),
  packages: Type.Integer(),
  durationMs: Type.Integer(),
  inventoryVersion,
});

const imageConfigSchema = Type.Object({
  os: Type.String(),
  architecture: Type.String(),
  variant: Type.Optional(Type.String()),
  user: Type.String(),
  env: Type.Array(Type.String(), { description: 'names' }),
  workingDir: Type.String(),
  exposedPorts: Type.Array(Type.String()),
  entrypoint: Type.Array(Type.String()),
  cmd: Type.Array(Type.String()),
  stopSignal: Type.Optional(Type.String()),
  labels: Type.Record(Type.String(), Type.String()),
  history: Type.Array(Type.String()),
});

const baseImageSchema = Type.Object({
  repository: Type.String(),
  digest: Type.String(),
  tags: Type.Array(Type.String()),
  layers: Type.Integer({ description: 'how many of the lowest layers are its' }),
});

const severityCounts = Type.Object(
  {
    critical: Type.Integer(),
    high: Type.Integer(),
    medium: Type.Integer(),
    low: Type.Integer(),
    none: Type.Integer(),
    unknown: Type.Integer(),
  },
  { description: 'flaws of packages, each once, whatever sources tell of it' },
);

export const imageShow = route({
  name: 'imageShow',
  method: 'GET',
  path: '/api/v1/images/show',
  summary: 'What inspection found in one image, or which images an index has',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ reference: imageReference, platform: Type.Optional(imagePlatform) }),
  body: nothing,
  response: Type.Object({
    repository: Type.String(),
    digest: Type.String(),
    kind: Type.String(),
    tags: Type.Array(Type.String()),
    withdrawn: Type.Boolean(),
    quarantine: quarantined,
    state: Type.Union([inspectionState, Type.Null()]),
    reason: textOrNull,
    inventoryVersion,
    isRenewed: Type.Boolean({
      description:
        'a layer was read again by newer extractors; what is shown is of before, until it is replaced',
    }),
    os: textOrNull,
    base: Type.Union([baseImageSchema, Type.Null()], {
      description: 'the image with most layers, of those that the caller may pull, that this one begins with',
    }),
    config: Type.Union([imageConfigSchema, Type.Null()], {
      description: 'what it says, without values of the environment and without secrets',
    }),
    createdAt: integerOrNull,
    inspectedAt: integerOrNull,
    layers: Type.Array(shownLayerSchema),
    packages: Type.Record(Type.String(), Type.Integer(), { description: 'by purl type' }),
    findings: severityCounts,
    fixable: Type.Integer({ description: 'of these, a fixed version is known' }),
    undecided: Type.Integer({ description: 'beside these, may apply: a version can’t be compared' }),
    excepted: Type.Integer({ description: 'would count but for exceptions' }),
    advisoryGaps: Type.Array(Type.String(), {
      description: 'why nobody can tell what else applies: no advisories of Debian:12 were loaded',
    }),
    malware: Type.Union(
      [
        Type.Object({
          state: Type.Union([Type.Literal('done'), Type.Literal('unknown')]),
          reason: textOrNull,
          found: Type.Integer({ description: 'files, in all layers' }),
        }),
        Type.Null(),
      ],
      { description: 'null: it was not looked for' },
    ),
    advisorySources: Type.Integer({ description: '0: none was ever loaded, so findings say nothing' }),
    children: Type.Array(
      Type.Object({
        digest: Type.String(),
        platform: textOrNull,
        state: Type.Union([inspectionState, Type.Null()], {
          description: 'notApplicable: an attestation; null: it is not here, or an index itself',
        }),
      }),
      { description: 'of an index: its images, and what lies beside them' },
    ),
  }),
  answer: 'json',
});
