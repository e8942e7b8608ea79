import Type from 'typebox';
import { nothing, route } from './route.ts';

/** The keys that this region signs its tokens with. */

export const signingKeyListRoute = route({
  name: 'signingKeyList',
  method: 'GET',
  path: '/api/v1/signing-keys',
  summary: 'The keys that tokens are signed with, newest first',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({
    keys: Type.Array(
      Type.Object({
        kid: Type.String(),
        createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
        retiredAt: Type.Union([Type.Integer(), Type.Null()], {
          description: 'since when it verifies nothing any more',
        }),
      }),
    ),
  }),
  answer: 'json',
});

export const signingKeyRotate = route({
  name: 'signingKeyRotate',
  method: 'POST',
  path: '/api/v1/signing-keys',
  summary: 'Sign with a fresh key; tokens of older ones stay good until their end, or are revoked',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: Type.Object(
    { revoke: Type.Optional(Type.Boolean({ description: 'every token signed before stops working' })) },
    { additionalProperties: false },
  ),
  response: Type.Object({ kid: Type.String(), retired: Type.Integer() }),
  answer: 'json',
});
