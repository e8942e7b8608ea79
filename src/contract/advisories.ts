import Type from 'typebox';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const source = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description:
    'who publishes them; importing one source never changes another’s. Default: import, cisa-kev, or epss',
});
const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);
const feedKind = Type.Union([Type.Literal('osv'), Type.Literal('kev'), Type.Literal('epss')]);

export const advisoryImport = route({
  name: 'advisoryImport',
  method: 'POST',
  path: '/api/v1/advisories',
  summary:
    'Import OSV documents (JSON, an array, lines, a zip or a tar), CISA KEV, EPSS, or a bundle; gzip and zstd are unpacked',
  audience: 'operator',
  params: nothing,
  query: Type.Object({
    source: Type.Optional(source),
    file: Type.Optional(
      Type.String({ maxLength: 1024, description: 'its name, with which the places of documents begin' }),
    ),
  }),
  body: nothing,
  response: Type.Object({
    source: Type.String(),
    kind: Type.Union([feedKind, Type.Literal('bundle')]),
    read: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    withdrawn: Type.Integer({ description: 'of those changed' }),
    brokenCount: Type.Integer({
      description: 'what they name is unknown until a readable one of their id comes',
    }),
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
  summary:
    'What was loaded of advisories and of what is known to be exploited, when, and what of it can’t be read',
  audience: 'caller',
  params: nothing,
  query: Type.Object({
    severities: Type.Boolean({
      default: false,
      description: 'also whence severities came; looks through all advisories',
    }),
  }),
  body: nothing,
  response: Type.Object({
    sources: Type.Array(
      Type.Object({
        source: Type.String(),
        kind: feedKind,
        importedAt: Type.Union([Type.Integer(), Type.Null()], {
          description: 'milliseconds since 1970; null: never, or not to its end',
        }),
        documents: Type.Integer(),
        unreadable: Type.Integer(),
        feed: Type.Union([
          Type.Object({
            url: Type.String(),
            checkedAt: Type.Integer(),
            changedAt: integerOrNull,
            error: textOrNull,
          }),
          Type.Null(),
        ]),
      }),
    ),
    severities: Type.Union([
      Type.Array(
        Type.Object({
          source: Type.String(),
          distribution: Type.Integer(),
          cvss: Type.Integer(),
          word: Type.Integer(),
          alias: Type.Integer(),
          none: Type.Integer({ description: 'nobody gave one: unknown' }),
        }),
        { description: 'advisories that are not withdrawn, by what their severity was taken from' },
      ),
      Type.Null(),
    ]),
  }),
  answer: 'json',
});

export const advisoryExport = route({
  name: 'advisoryExport',
  method: 'GET',
  path: '/api/v1/advisories/export',
  summary: 'All that was imported, as one bundle that an import takes: lines of JSON, compressed with zstd',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: nothing,
  answer: 'bytes',
});

export const advisorySchema = Type.Object({
  id: Type.String(),
  source: Type.String(),
  flaw: Type.String({ description: 'one name for the flaw over all sources' }),
  summary: textOrNull,
  severity: Type.String(),
  severityScore: Type.Union([Type.Number(), Type.Null()]),
  severityFrom: textOrNull,
  modifiedAt: Type.Integer(),
  publishedAt: integerOrNull,
  withdrawnAt: integerOrNull,
  importedAt: Type.Integer(),
  unreadable: Type.Union([Type.Object({ place: textOrNull, reason: Type.String() }), Type.Null()]),
  packagesFound: Type.Integer({ description: 'distinct package versions here that it applies to, or may' }),
  document: Type.Unknown({ description: 'as its source gave it' }),
});

export const advisoryShow = route({
  name: 'advisoryShow',
  method: 'GET',
  path: '/api/v1/advisories/show',
  summary: 'The advisories of an id or an alias, as their sources gave them, and what is known of attacks',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }),
  body: nothing,
  response: Type.Object({
    advisories: Type.Array(advisorySchema),
    exploits: Type.Array(
      Type.Object({
        cve: Type.String(),
        exploited: Type.Union([
          Type.Object({
            addedOn: Type.String(),
            dueOn: textOrNull,
            ransomware: Type.Boolean(),
            name: Type.String(),
          }),
          Type.Null(),
        ]),
        epss: Type.Union([Type.Object({ score: Type.Number(), percentile: Type.Number() }), Type.Null()]),
      }),
    ),
  }),
  answer: 'json',
});
