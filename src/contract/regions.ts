import Type from 'typebox';
import { nothing, route } from './route.ts';

const nullableTime = Type.Union([Type.Integer(), Type.Null()], { description: 'milliseconds since 1970' });

const laneSchema = Type.Object({
  cursor: Type.Integer({
    description: 'up to which position of that region’s log its events are applied here',
  }),
  behind: Type.Integer({
    description: 'positions between that and the newest event that it has named; 0: none',
  }),
});

const regionSchema = Type.Object({
  name: Type.String(),
  url: Type.String(),
  role: Type.Union([Type.Literal('primary'), Type.Literal('secondary')]),
  self: Type.Boolean({ description: 'whether it is the region that answers' }),
  location: Type.Union([Type.String(), Type.Null()]),
  quarantineLane: Type.Union([laneSchema, Type.Null()], { description: 'null for the region that answers' }),
  contentLane: Type.Union([laneSchema, Type.Null()]),
  contentSkipped: Type.Integer({ description: 'content events that this version could not apply' }),
  stoppedReason: Type.Union([Type.String(), Type.Null()], {
    description: 'why the quarantine lane stands still',
  }),
  lastHeardAt: nullableTime,
  connected: Type.Boolean(),
});

export const regionList = route({
  name: 'regionList',
  method: 'GET',
  path: '/api/v1/regions',
  summary: 'The regions that this one knows, and how far it has followed each',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ regions: Type.Array(regionSchema) }),
  answer: 'json',
});
