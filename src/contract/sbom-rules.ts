import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';

export const sbomFormatSchema = Type.Union([Type.Literal('cyclonedx'), Type.Literal('spdx')]);

const formats = Type.Array(sbomFormatSchema, { minItems: 1, maxItems: 2, uniqueItems: true });

const sbomRuleSchema = Type.Object({
  name: Type.String({ description: 'B-3' }),
  account: Type.Union([Type.String(), Type.Null()], {
    description: 'whose repositories it is over; null: everybody’s, a rule of the operator',
  }),
  repositoryGlob: Type.String(),
  formats,
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  createdBy: Type.String(),
});

export const sbomRuleCreate = route({
  name: 'sbomRuleCreate',
  method: 'POST',
  path: '/api/v1/sbom/rules',
  summary: 'Keep bills of materials with the images of repositories, as referrers',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    { repositoryGlob: Type.String({ minLength: 1, maxLength: limits.globLengthMax }), formats },
    { additionalProperties: false },
  ),
  response: sbomRuleSchema,
  answer: 'json',
});

export const sbomRuleList = route({
  name: 'sbomRuleList',
  method: 'GET',
  path: '/api/v1/sbom/rules',
  summary: 'The rules over the caller’s repositories',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ rules: Type.Array(sbomRuleSchema) }),
  answer: 'json',
});

export const sbomRuleDelete = route({
  name: 'sbomRuleDelete',
  method: 'DELETE',
  path: '/api/v1/sbom/rules/:name',
  summary: 'End a rule: no more bills of materials are kept; those that are stay with their images',
  audience: 'caller',
  params: Type.Object({ name: Type.String() }),
  query: nothing,
  body: nothing,
  response: sbomRuleSchema,
  answer: 'json',
});
