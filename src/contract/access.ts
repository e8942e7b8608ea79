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
export const accountSchema = Type.Object({ name: Type.String(), createdAt: Type.Integer() });
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

export const principalCreate = route({
  name: 'principalCreate',
  method: 'POST',
  path: '/api/v1/principals',
  summary: 'Create a user or a robot; the secret is shown this once',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      name: nameText,
      kind: Type.Union([Type.Literal('user'), Type.Literal('robot')]),
      account: Type.Union([Type.String(), Type.Null()], { description: 'null: the operator’s own' }),
      bindings: Type.Array(bindingSchema, { maxItems: 100 }),
    },
    { additionalProperties: false },
  ),
  response: Type.Object({ name: Type.String(), secret: Type.String() }),
  answer: 'json',
});

export const principalDisable = route({
  name: 'principalDisable',
  method: 'DELETE',
  path: '/api/v1/principals/:name',
  summary: 'Disable a user or a robot: its credentials and tokens stop working at once',
  audience: 'operator',
  params: Type.Object({ name: nameText }),
  query: nothing,
  body: nothing,
  response: nothing,
  answer: 'json',
});

export const roleBind = route({
  name: 'roleBind',
  method: 'POST',
  path: '/api/v1/principals/:name/roles',
  summary: 'Give a principal a role over an account’s repositories, a glob of them, or everything',
  audience: 'operator',
  params: Type.Object({ name: nameText }),
  query: nothing,
  body: Type.Object({ ...bindingSchema.properties }, { additionalProperties: false }),
  response: nothing,
  answer: 'json',
});
