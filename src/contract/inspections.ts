import Type from 'typebox';
import { nothing, route } from './route.ts';

export const inspectionStatusShow = route({
  name: 'inspectionStatusShow',
  method: 'GET',
  path: '/api/v1/inspections',
  summary:
    'How many layers of this region were read with the extractors of now, and how many are to be read again',
  audience: 'operator',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({
    version: Type.Integer({ description: 'the number that the list of extractors has in this region' }),
    since: Type.Integer({ description: 'when it was first read with' }),
    done: Type.Integer({ description: 'layers read with it, or with newer extractors' }),
    stale: Type.Integer({
      description: 'layers read with older extractors: their answers stand until they are read again',
    }),
    pending: Type.Integer({ description: 'layers that were never read' }),
    failed: Type.Integer({
      description: 'of the stale ones, those that could not be read again; tried anew with the next version',
    }),
    layersPerHour: Type.Integer({ description: 'of the last ten minutes' }),
    leftMs: Type.Union([Type.Integer(), Type.Null()], {
      description: 'until none is stale or pending, at this rate; null while none is read',
    }),
  }),
  answer: 'json',
});
