import Type from 'typebox';
import { nothing, route } from './route.ts';

export const roleSchema = Type.Union([
  Type.Literal('reader'),
  Type.Literal('writer'),
  Type.Literal('maintainer'),
  Type.Literal('security'),
  Type.Literal('admin'),
]);
export const bindingSchema = Type.Object({
  role: roleSchema,
  account: Type.Union([Type.String(), Type.Null()], { description: 'null: every account' }),
  repositoryGlob: Type.Union([Type.String(), Type.Null()], { description: 'null: every repository' }),
});
export const accountSchema = Type.Object({
  name: Type.String(),
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  anonymousPull: Type.Boolean({ description: 'everyone may pull from its repositories' }),
  quotaBytes: Type.Union([Type.Integer(), Type.Null()], { description: 'null: none' }),
  usedBytes: Type.Integer({ description: 'of the distinct blobs that its repositories in this region hold' }),
});
export const callerSchema = Type.Object({
  principal: Type.String(),
  kind: Type.Union([
    Type.Literal('user'),
    Type.Literal('robot'),
    Type.Literal('instance'),
    Type.Literal('region'),
    Type.Literal('anonymous'),
  ]),
  account: Type.Union([Type.String(), Type.Null()]),
  bindings: Type.Array(bindingSchema),
});

const nameText = Type.String({ minLength: 1, maxLength: 128 });

export const whoami = route({
  name: 'whoami',
  method: 'GET',
  path: '/api/v1/whoami',
  summary: 'Who the caller is, and their roles',
  audience: 'anyone',
  params: nothing,
  query: nothing,
  body: nothing,
  response: callerSchema,
  answer: 'json',
});

export const accountList = route({
  name: 'accountList',
  method: 'GET',
  path: '/api/v1/accounts',
  summary: 'The accounts',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ accounts: Type.Array(accountSchema) }),
  answer: 'json',
});

export const accountCreate = route({
  name: 'accountCreate',
  method: 'POST',
  path: '/api/v1/accounts',
  summary: 'Create an account; its repositories begin with its name',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: Type.Object({ name: nameText }, { additionalProperties: false }),
  response: accountSchema,
  answer: 'json',
});

export const accountChange = route({
  name: 'accountChange',
  method: 'POST',
  path: '/api/v1/accounts/:name',
  summary:
    'Open an account’s repositories to everyone who pulls, or close them; set its quota (operators only)',
  audience: 'caller',
  params: Type.Object({ name: nameText }),
  query: nothing,
  body: Type.Object(
    {
      anonymousPull: Type.Optional(Type.Boolean()),
      quotaBytes: Type.Optional(
        Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
          description: 'null: none',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: accountSchema,
  answer: 'json',
});
