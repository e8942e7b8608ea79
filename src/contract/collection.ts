import Type from 'typebox';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);
const reviewSchema = Type.Object({
  kind: Type.Union([Type.Literal('blob'), Type.Literal('manifest')]),
  digest: Type.String(),
  reviewAt: Type.Integer({ description: 'its grace ends then' }),
  reason: Type.String(),
});

const pausedSchema = Type.Union([Type.String(), Type.Null()], {
  description: 'why not all is done: the clock is in doubt, or a restore was not scrubbed yet',
});

export const gcRun = route({
  name: 'gcRun',
  method: 'POST',
  path: '/api/v1/gc',
  summary:
    'Collect what is due in this region now, up to the length of one pass; all zeros when nothing is left',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({
    manifests: Type.Integer(),
    condemned: Type.Integer(),
    collected: Type.Integer(),
    freedBytes: Type.Integer(),
    paused: pausedSchema,
  }),
  answer: 'json',
});

export const clockConfirm = route({
  name: 'clockConfirm',
  method: 'POST',
  path: '/api/v1/gc/confirm-clock',
  summary: 'The clock is right as it is: what ends by the time of day goes on ending',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ doubted: Type.Boolean({ description: 'whether it was in doubt' }) }),
  answer: 'json',
});

export const gcPlan = route({
  name: 'gcPlan',
  method: 'GET',
  path: '/api/v1/gc',
  summary: 'What waits for review, and what would become of it now',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({
    at: Type.Integer({ description: 'when this was so' }),
    paused: pausedSchema,
    items: Type.Array(
      Type.Object({
        kind: Type.Union([Type.Literal('blob'), Type.Literal('manifest')]),
        digest: Type.String(),
        reviewAt: Type.Integer({ description: 'its grace ends then' }),
        reason: Type.String({ description: 'why it is looked at' }),
        verdict: Type.String({ description: 'needed, held, free (it goes once reviewAt has come) or gone' }),
        keptBy: textOrNull,
        keptUntil: integerOrNull,
        sizeBytes: Type.Integer(),
      }),
    ),
    more: Type.Boolean({ description: 'more waits than is listed' }),
    expired: Type.Array(Type.Object({ digest: Type.String(), quarantine: Type.String() }), {
      description: "layers whose quarantine's retention has ended",
    }),
    condemned: Type.Object(
      { count: Type.Integer(), sizeBytes: Type.Integer() },
      { description: 'what no door knows any more; its bytes are deleted next' },
    ),
  }),
  answer: 'json',
});

export const blobExplain = route({
  name: 'blobExplain',
  method: 'GET',
  path: '/api/v1/blobs/:digest/explain',
  summary: 'Why a blob lives, what will become of it, or why it went',
  audience: 'operator',
  params: Type.Object({ digest: Type.String() }),
  query: nothing,
  body: nothing,
  response: Type.Object({
    blob: Type.Union([
      Type.Null(),
      Type.Object({
        digest: Type.String(),
        sizeBytes: Type.Integer(),
        state: Type.String(),
        neededBy: Type.Array(Type.Object({ repository: Type.String(), digest: Type.String() })),
        holds: Type.Array(
          Type.Object({ kind: Type.String(), holder: Type.String(), expiresAt: integerOrNull }),
        ),
      }),
    ]),
    verdict: Type.Object({ kind: Type.String(), untilMs: Type.Optional(integerOrNull) }),
    repositories: Type.Array(
      Type.Object({
        repository: Type.String(),
        refusal: Type.Union([
          Type.Null(),
          Type.Object({ quarantine: Type.String(), reason: Type.String(), ticket: textOrNull }),
        ]),
      }),
    ),
    review: Type.Union([Type.Null(), reviewSchema]),
    history: Type.Array(
      Type.Object({
        what: Type.Union([Type.Literal('condemned'), Type.Literal('collected')]),
        at: Type.Integer(),
        actor: Type.String(),
        reason: textOrNull,
      }),
      { description: 'when the collector took it, the newest first' },
    ),
  }),
  answer: 'json',
});
