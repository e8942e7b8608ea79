import Type from 'typebox';
import { nothing, route } from './route.ts';

export const forensicBlob = route({
  name: 'forensicBlob',
  method: 'GET',
  path: '/api/v1/forensics/blobs/:digest',
  summary:
    'The bytes of a quarantined blob, for role security of the repository’s account; each read is an event',
  audience: 'caller',
  params: Type.Object({ digest: Type.String() }),
  query: Type.Object({ repository: Type.String({ minLength: 1, maxLength: 255 }) }),
  body: nothing,
  response: Type.Unknown(),
  answer: 'bytes',
});
