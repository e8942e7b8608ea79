import Type from 'typebox';
import { containerSchema, instanceSchema } from './fleet.ts';
import { nothing, route } from './route.ts';

export const instanceCreate = route({
  name: 'instanceCreate',
  method: 'POST',
  path: '/api/v1/instances',
  summary: 'Register an instance of this region; its secret is shown this once',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      name: Type.String({ pattern: '^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$' }),
      account: Type.String({ minLength: 1, maxLength: 128, description: 'the entity that it belongs to' }),
    },
    { additionalProperties: false },
  ),
  response: Type.Object({ instance: instanceSchema, secret: Type.String() }),
  answer: 'json',
});

export const instanceList = route({
  name: 'instanceList',
  method: 'GET',
  path: '/api/v1/instances',
  summary: 'The instances of the caller’s accounts, in every region',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ instances: Type.Array(instanceSchema) }),
  answer: 'json',
});

const containerViewSchema = Type.Object({
  ...containerSchema.properties,
  deployment: Type.String({ description: 'its name' }),
  owner: Type.String(),
  reference: Type.String(),
});

export const containerList = route({
  name: 'containerList',
  method: 'GET',
  path: '/api/v1/containers',
  summary: 'The containers that the caller owns or whose instances they run on, newest first',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ all: Type.Optional(Type.Boolean({ description: 'also those that have stopped' })) }),
  body: nothing,
  response: Type.Object({ containers: Type.Array(containerViewSchema) }),
  answer: 'json',
});
