import Type from 'typebox';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

export const eventSchema = Type.Object({
  position: Type.Integer(),
  id: Type.String({ description: 'region/epoch/sequence' }),
  origin: Type.String(),
  type: Type.String({ description: 'io.lazaret.<noun>.<verb>.v1' }),
  at: Type.Integer({ description: 'milliseconds since 1970' }),
  account: textOrNull,
  subject: Type.String(),
  actor: Type.String(),
  cause: textOrNull,
  data: Type.Record(Type.String(), Type.Unknown()),
});

export const eventList = route({
  name: 'eventList',
  method: 'GET',
  path: '/api/v1/events',
  summary: 'The log, from a position on; with follow, also what is appended later',
  audience: 'caller',
  params: nothing,
  query: Type.Object({
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    follow: Type.Optional(Type.Boolean()),
    limit: Type.Optional(Type.Integer({ minimum: 1, description: 'how many at most, without follow' })),
  }),
  body: nothing,
  response: eventSchema,
  answer: 'lines',
});
