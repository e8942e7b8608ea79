import Type from 'typebox';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

export const imageExplain = route({
  name: 'imageExplain',
  method: 'GET',
  path: '/api/v1/images/explain',
  summary: 'Why each finding of an image holds or not: the advisory’s row, the compared versions, the layer',
  audience: 'caller',
  params: nothing,
  query: Type.Object({
    reference: Type.String({ minLength: 1, maxLength: 1024 }),
    platform: Type.Optional(Type.String({ description: 'of an index: linux/amd64' })),
    advisory: Type.Optional(
      Type.String({ maxLength: 128, description: 'its id, an alias, or the name of its flaw' }),
    ),
    package: Type.Optional(Type.String({ maxLength: 1024, description: 'its name, or that of its source' })),
    all: Type.Boolean({ default: false, description: 'also what does not hold' }),
  }),
  body: nothing,
  response: Type.Object({
    purl: Type.String(),
    layer: textOrNull,
    path: Type.String(),
    advisory: Type.String(),
    source: Type.String(),
    flaw: Type.String(),
    row: Type.Object({ id: Type.Integer(), position: Type.Integer() }),
    verdict: Type.Union([
      Type.Literal('holds'),
      Type.Literal('unknown'),
      Type.Literal('excepted'),
      Type.Literal('no'),
      Type.Literal('withdrawn'),
    ]),
    severity: Type.String(),
    fixedVersion: textOrNull,
    compared: Type.Object({
      ecosystem: Type.String(),
      name: Type.String(),
      version: Type.String(),
      affected: Type.String(),
    }),
    exceptions: Type.Array(
      Type.Object({
        name: Type.String({ description: 'E-3' }),
        status: Type.String(),
        justification: textOrNull,
        statement: textOrNull,
        author: Type.String(),
        expiresAt: Type.Union([Type.Integer(), Type.Null()]),
      }),
      { description: 'by which it does not count' },
    ),
    reason: textOrNull,
    history: Type.Array(
      Type.Object({ since: Type.Integer(), until: Type.Union([Type.Integer(), Type.Null()]) }),
    ),
  }),
  answer: 'lines',
});
