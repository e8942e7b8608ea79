import Type from 'typebox';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const counts = {
  keys: Type.Integer({ description: 'of the blob store' }),
  rows: Type.Integer({ description: 'blobs that should be here' }),
  readBytes: Type.Integer(),
  findings: Type.Integer(),
  repaired: Type.Integer({ description: 'findings that were condemned or are copied again' }),
  young: Type.Integer({ description: 'bytes that no row names, too young to be called orphans' }),
};

export const scrubLine = Type.Union([
  Type.Object({
    kind: Type.Literal('finding'),
    problem: Type.Union([
      Type.Literal('orphan'),
      Type.Literal('missing'),
      Type.Literal('size'),
      Type.Literal('rot'),
      Type.Literal('unreadable'),
      Type.Literal('remote'),
    ]),
    digest: textOrNull,
    storageKey: textOrNull,
    sizeBytes: Type.Integer(),
    outcome: Type.Union([
      Type.Literal('reported'),
      Type.Literal('condemned'),
      Type.Literal('copying'),
      Type.Literal('lost'),
    ]),
  }),
  Type.Object({ kind: Type.Literal('progress'), ...counts }),
  Type.Object({
    kind: Type.Literal('end'),
    collectorTurnedOn: Type.Boolean({ description: 'it was off since a restore' }),
    ...counts,
  }),
]);

export const scrubRun = route({
  name: 'scrubRun',
  method: 'POST',
  path: '/api/v1/scrub',
  summary:
    'Compare the bytes of this region with what is known of them, both ways; ends when the caller hangs up',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: Type.Object({
    repair: Type.Optional(
      Type.Boolean({ description: 'let go of orphans, copy or condemn what is damaged' }),
    ),
    verify: Type.Optional(Type.Boolean({ description: 'read all bytes again and compare their digests' })),
  }),
  response: scrubLine,
  answer: 'lines',
});
