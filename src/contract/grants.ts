import Type from 'typebox';
import { nothing, route } from './route.ts';

const account = Type.String({ minLength: 1, maxLength: 128 });

const grantSchema = Type.Object({
  uid: Type.String(),
  owner: Type.String(),
  grantee: Type.String(),
  repositoryGlob: Type.String(),
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  createdBy: Type.String(),
  revokedAt: Type.Union([Type.Integer(), Type.Null()]),
  version: Type.Integer(),
});

/** The glob begins with the owner's name: `acme/shop`, `acme/*`. */
const grantTermsSchema = Type.Object(
  { grantee: account, repositoryGlob: Type.String({ minLength: 1, maxLength: 512 }) },
  { additionalProperties: false },
);

export const grantCreate = route({
  name: 'grantCreate',
  method: 'POST',
  path: '/api/v1/grants',
  summary: 'Allow another account to pull and run images',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: grantTermsSchema,
  response: grantSchema,
  answer: 'json',
});

export const grantDelete = route({
  name: 'grantDelete',
  method: 'POST',
  path: '/api/v1/grants/revoke',
  summary: 'Take a grant back',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: grantTermsSchema,
  response: grantSchema,
  answer: 'json',
});

export const grantListRoute = route({
  name: 'grantList',
  method: 'GET',
  path: '/api/v1/grants',
  summary: 'The grants that the caller’s accounts gave or were given',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ all: Type.Optional(Type.Boolean({ description: 'also those taken back' })) }),
  body: nothing,
  response: Type.Object({ grants: Type.Array(grantSchema) }),
  answer: 'json',
});
