import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const glob = Type.String({ minLength: 1, maxLength: limits.globLengthMax });
const globs = Type.Array(glob, { maxItems: limits.retentionGlobsMax });
const duration = Type.String({ maxLength: 32, description: 'such as 30d or 12h' });
const millisecondsOrNull = Type.Union([Type.Integer(), Type.Null()]);

const retentionRuleSchema = Type.Object({
  name: Type.String({ description: 'R-3' }),
  account: Type.Union([Type.String(), Type.Null()], {
    description: 'whose repositories it is over; null: everybody’s, a rule of the operator',
  }),
  repositoryGlob: Type.String(),
  tags: Type.Array(Type.String(), { description: 'the tags that it is about; none: all' }),
  keepTags: Type.Array(Type.String()),
  keepLatest: millisecondsOrNull,
  keepPushedMs: millisecondsOrNull,
  keepPulledMs: millisecondsOrNull,
  untaggedMs: millisecondsOrNull,
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  createdBy: Type.String(),
});

export const retentionRuleCreate = route({
  name: 'retentionRuleCreate',
  method: 'POST',
  path: '/api/v1/retention/rules',
  summary: 'Let tags that no rule keeps, and untagged images, go by themselves',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      repositoryGlob: glob,
      tags: Type.Optional(globs),
      keepTags: Type.Optional(globs),
      keepLatest: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
      keepPushed: Type.Optional(duration),
      keepPulled: Type.Optional(duration),
      untagged: Type.Optional(duration),
    },
    { additionalProperties: false },
  ),
  response: retentionRuleSchema,
  answer: 'json',
});

export const retentionRuleList = route({
  name: 'retentionRuleList',
  method: 'GET',
  path: '/api/v1/retention/rules',
  summary: 'The rules over the caller’s repositories',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ rules: Type.Array(retentionRuleSchema) }),
  answer: 'json',
});

export const retentionRuleDelete = route({
  name: 'retentionRuleDelete',
  method: 'DELETE',
  path: '/api/v1/retention/rules/:name',
  summary: 'End a rule; what it took is in the trash',
  audience: 'caller',
  params: Type.Object({ name: Type.String() }),
  query: nothing,
  body: nothing,
  response: retentionRuleSchema,
  answer: 'json',
});

export const retentionPlanShow = route({
  name: 'retentionPlanShow',
  method: 'GET',
  path: '/api/v1/retention/plan',
  summary: 'A dry run: what the rules would take away now, and why the rest stays',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ repositories: Type.Optional(glob) }),
  body: nothing,
  response: Type.Object({
    items: Type.Array(
      Type.Object({
        repository: Type.String(),
        tag: Type.Union([Type.String(), Type.Null()], { description: 'null: an untagged manifest' }),
        digest: Type.String(),
        verdict: Type.Union([Type.Literal('stays'), Type.Literal('goes')]),
        reason: Type.Union([
          Type.Literal('noRule'),
          Type.Literal('quarantined'),
          Type.Literal('held'),
          Type.Literal('restored'),
          Type.Literal('keepTags'),
          Type.Literal('keepLatest'),
          Type.Literal('keepPushed'),
          Type.Literal('keepPulled'),
          Type.Literal('notKept'),
          Type.Literal('childOfIndex'),
          Type.Literal('referrer'),
          Type.Literal('untaggedNotYet'),
          Type.Literal('untaggedTooLong'),
          Type.Literal('withSubject'),
        ]),
        rule: textOrNull,
        by: Type.Union([Type.String(), Type.Null()], {
          description: 'the quarantine, holder, index or subject that decided',
        }),
      }),
    ),
    goes: Type.Integer(),
    stays: Type.Integer(),
    complete: Type.Boolean({ description: 'false: there are more items than are listed' }),
  }),
  answer: 'json',
});
