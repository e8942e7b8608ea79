import Type from 'typebox';
import { nothing, route } from './route.ts';

const source = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'who publishes them; importing one source never changes another’s',
});

export const advisoryImport = route({
  name: 'advisoryImport',
  method: 'POST',
  path: '/api/v1/advisories',
  summary: 'Import OSV documents: JSON, a JSON array or JSON lines, also gzipped',
  audience: 'operator',
  params: nothing,
  query: Type.Object({
    source,
    kind: Type.Union([Type.Literal('auto'), Type.Literal('json'), Type.Literal('jsonl')], {
      default: 'auto',
    }),
  }),
  body: nothing,
  response: Type.Object({
    source: Type.String(),
    read: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    withdrawn: Type.Integer({ description: 'of those changed' }),
    brokenCount: Type.Integer(),
    broken: Type.Array(Type.Object({ where: Type.String(), error: Type.String() }), {
      description: 'the first ones; the others were imported',
    }),
    findings: Type.Object({ new: Type.Integer(), ended: Type.Integer() }),
    tookMs: Type.Integer(),
  }),
  answer: 'json',
  streamedBody: true,
});

export const advisoryStatus = route({
  name: 'advisoryStatus',
  method: 'GET',
  path: '/api/v1/advisories',
  summary: 'The sources of advisories, and when each was last loaded',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({
    sources: Type.Array(
      Type.Object({
        source: Type.String(),
        importedAt: Type.Integer({ description: 'milliseconds since 1970' }),
        documents: Type.Integer(),
      }),
    ),
  }),
  answer: 'json',
});
