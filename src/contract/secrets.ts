import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';

/** For a search for one very secret: criteria then name the fingerprint, so that no list, log or rule holds the value. */
export const secretFingerprint = route({
  name: 'secretFingerprint',
  method: 'POST',
  path: '/api/v1/secrets/fingerprint',
  summary: 'The fingerprints that a secret has here, and that what is found in it has; it is not kept',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      value: Type.String({
        minLength: 1,
        maxLength: Math.ceil(limits.secretValueBytesMax / 3) * 4,
        description: 'base64',
      }),
    },
    { additionalProperties: false },
  ),
  response: Type.Object({
    fingerprints: Type.Array(Type.String(), { description: 'for criteria: secret.fingerprint' }),
  }),
  answer: 'json',
});
