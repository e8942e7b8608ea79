import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { bindingSchema, roleSchema } from './access.ts';
import { nothing, route } from './route.ts';

/** Users and robots, and what they may do: for the operator, and, over its own robots and roles, an account's admin. */

const nameText = Type.String({ minLength: 1, maxLength: 128 });
const named = Type.Object({ name: nameText });
const accountText = Type.Union([nameText, Type.Null()]);
const kind = Type.Union([Type.Literal('user'), Type.Literal('robot')]);
const timeOrNull = Type.Union([Type.Integer(), Type.Null()]);
const expires = Type.String({ maxLength: 32, description: 'from now on, such as 90d; never' });
const given = Type.Object(
  {
    role: roleSchema,
    account: Type.Union([nameText, Type.Null()], { description: 'null: every account' }),
    repositoryGlob: Type.Union(
      [Type.String({ minLength: 1, maxLength: limits.globLengthMax }), Type.Null()],
      {
        description: 'null: every repository',
      },
    ),
  },
  { additionalProperties: false },
);

export const principalSchema = Type.Object({
  name: Type.String(),
  kind,
  account: accountText,
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  expiresAt: timeOrNull,
  disabledAt: timeOrNull,
  bindings: Type.Array(bindingSchema),
});

export const principalList = route({
  name: 'principalList',
  method: 'GET',
  path: '/api/v1/principals',
  summary: 'The users and robots, of one account or of all that the caller administers, with their roles',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ account: Type.Optional(nameText) }),
  body: nothing,
  response: Type.Object({ principals: Type.Array(principalSchema) }),
  answer: 'json',
});

export const principalCreate = route({
  name: 'principalCreate',
  method: 'POST',
  path: '/api/v1/principals',
  summary: 'Create a user, or a robot named ACCOUNT+NAME; the secret is shown this once',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      name: nameText,
      kind,
      account: Type.Union([Type.String(), Type.Null()], { description: 'null: the operator’s own' }),
      bindings: Type.Array(given, { maxItems: 100 }),
      expires: Type.Optional(expires),
    },
    { additionalProperties: false },
  ),
  response: Type.Object({ name: Type.String(), secret: Type.String(), expiresAt: timeOrNull }),
  answer: 'json',
});

export const principalRemove = route({
  name: 'principalRemove',
  method: 'DELETE',
  path: '/api/v1/principals/:name',
  summary: 'Remove a user or a robot: its credentials and tokens stop working at once',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: nothing,
  answer: 'json',
});

export const principalDisable = route({
  name: 'principalDisable',
  method: 'POST',
  path: '/api/v1/principals/:name/disable',
  summary: 'Disable a user or a robot: its credentials and tokens stop working at once',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: nothing,
  answer: 'json',
});

export const principalEnable = route({
  name: 'principalEnable',
  method: 'POST',
  path: '/api/v1/principals/:name/enable',
  summary: 'Let a disabled user or robot in again, with the secret that it had; its old tokens stay refused',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: nothing,
  answer: 'json',
});

export const principalSecret = route({
  name: 'principalSecret',
  method: 'POST',
  path: '/api/v1/principals/:name/secret',
  summary: 'Change a secret: one’s own password, or, made here and shown this once, somebody else’s',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object(
    {
      password: Type.Optional(
        Type.String({ minLength: limits.passwordLengthMin, maxLength: 1024, description: 'one’s own, new' }),
      ),
      current: Type.Optional(Type.String({ maxLength: 1024, description: 'one’s own, until now' })),
      expires: Type.Optional(expires),
    },
    { additionalProperties: false },
  ),
  response: Type.Object({
    name: Type.String(),
    secret: Type.Union([Type.String(), Type.Null()], { description: 'null: the password that was given' }),
    expiresAt: timeOrNull,
  }),
  answer: 'json',
});

export const roleBind = route({
  name: 'roleBind',
  method: 'POST',
  path: '/api/v1/principals/:name/roles',
  summary: 'Give a principal a role over an account’s repositories, a glob of them, or everything',
  audience: 'caller',
  params: named,
  query: nothing,
  body: given,
  response: nothing,
  answer: 'json',
});

export const roleUnbind = route({
  name: 'roleUnbind',
  method: 'POST',
  path: '/api/v1/principals/:name/roles/revoke',
  summary: 'Take a role back, named as it was given',
  audience: 'caller',
  params: named,
  query: nothing,
  body: given,
  response: nothing,
  answer: 'json',
});
