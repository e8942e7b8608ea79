import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';

const glob = Type.String({ minLength: 1, maxLength: limits.globLengthMax });

const immutabilityRuleSchema = Type.Object({
  name: Type.String({ description: 'I-3' }),
  account: Type.Union([Type.String(), Type.Null()], {
    description: 'whose repositories it is over; null: everybody’s, a rule of the operator',
  }),
  repositoryGlob: Type.String(),
  exceptTags: Type.Array(Type.String(), {
    description: 'the tags that may be moved and deleted all the same',
  }),
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  createdBy: Type.String(),
});

export const immutabilityRuleCreate = route({
  name: 'immutabilityRuleCreate',
  method: 'POST',
  path: '/api/v1/immutability/rules',
  summary: 'Let a tag, once set, name the same image for good: neither moved nor deleted',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      repositoryGlob: glob,
      exceptTags: Type.Optional(Type.Array(glob, { maxItems: limits.retentionGlobsMax })),
    },
    { additionalProperties: false },
  ),
  response: immutabilityRuleSchema,
  answer: 'json',
});

export const immutabilityRuleList = route({
  name: 'immutabilityRuleList',
  method: 'GET',
  path: '/api/v1/immutability/rules',
  summary: 'The rules over the caller’s repositories',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ rules: Type.Array(immutabilityRuleSchema) }),
  answer: 'json',
});

export const immutabilityRuleDelete = route({
  name: 'immutabilityRuleDelete',
  method: 'DELETE',
  path: '/api/v1/immutability/rules/:name',
  summary: 'End a rule: its tags may be moved and deleted again',
  audience: 'caller',
  params: Type.Object({ name: Type.String() }),
  query: nothing,
  body: nothing,
  response: immutabilityRuleSchema,
  answer: 'json',
});
