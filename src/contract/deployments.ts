import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { containerSchema, deploymentSchema, onLeaseEndSchema, revocationSchema } from './fleet.ts';
import { nothing, route } from './route.ts';

const name = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$' });
const account = Type.String({ minLength: 1, maxLength: 128 });
const byName = Type.Object({ name });
/** Names are unique for one owner; without `owner` the name must be unique among what the caller sees. */
const ofOwner = Type.Object({ owner: Type.Optional(account) });
const withReason = Type.Object(
  { reason: Type.Optional(Type.String({ maxLength: 1_000 })) },
  { additionalProperties: false },
);

const deploymentViewSchema = Type.Object({
  ...deploymentSchema.properties,
  containers: Type.Array(containerSchema),
  revocations: Type.Array(revocationSchema),
});

export const deploymentCreate = route({
  name: 'deploymentCreate',
  method: 'POST',
  path: '/api/v1/deployments',
  summary: 'Run an image on an instance',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      name,
      account: Type.String({ ...account, description: 'the entity that the instance belongs to' }),
      reference: Type.String({ maxLength: 512, description: 'acme/shop:1 or acme/shop@sha256:…' }),
      region: Type.String({ maxLength: 128 }),
      instance: Type.String({ maxLength: 128 }),
      env: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 32_768 }))),
      eventCriteria: Type.Optional(Type.Unknown({ description: 'added to what came with the image' })),
      stopDeadlineMs: Type.Optional(Type.Integer({ minimum: 0, maximum: limits.durationMaxMs })),
      leaseMs: Type.Optional(
        Type.Integer({
          minimum: limits.leaseMinMs,
          maximum: limits.durationMaxMs,
          description: 'how long its agent may let it run without hearing from home; left out: for ever',
        }),
      ),
      onLeaseEnd: Type.Optional(onLeaseEndSchema),
      platform: Type.Optional(Type.String({ maxLength: 64, description: 'of an index: linux/amd64' })),
    },
    { additionalProperties: false },
  ),
  response: deploymentSchema,
  answer: 'json',
});

export const deploymentList = route({
  name: 'deploymentList',
  method: 'GET',
  path: '/api/v1/deployments',
  summary: 'The deployments that the caller owns or whose instances they run on',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ deployments: Type.Array(deploymentSchema) }),
  answer: 'json',
});

export const deploymentShow = route({
  name: 'deploymentShow',
  method: 'GET',
  path: '/api/v1/deployments/:name',
  summary: 'One deployment with its containers and revocations',
  audience: 'caller',
  params: byName,
  query: ofOwner,
  body: nothing,
  response: deploymentViewSchema,
  answer: 'json',
});

export const deploymentStart = route({
  name: 'deploymentStart',
  method: 'POST',
  path: '/api/v1/deployments/:name/start',
  summary: 'Start a stopped deployment; refused while a revocation of it stands',
  audience: 'caller',
  params: byName,
  query: ofOwner,
  body: nothing,
  response: deploymentSchema,
  answer: 'json',
});

export const deploymentStop = route({
  name: 'deploymentStop',
  method: 'POST',
  path: '/api/v1/deployments/:name/stop',
  summary: 'Stop a deployment',
  audience: 'caller',
  params: byName,
  query: ofOwner,
  body: withReason,
  response: deploymentSchema,
  answer: 'json',
});

export const deploymentRestore = route({
  name: 'deploymentRestore',
  method: 'POST',
  path: '/api/v1/deployments/:name/restore',
  summary: 'Lift the revocations of a deployment, accepting their evidence, and start it again',
  audience: 'caller',
  params: byName,
  query: ofOwner,
  body: Type.Object(
    { reason: Type.String({ minLength: 1, maxLength: 1_000 }) },
    { additionalProperties: false },
  ),
  response: deploymentSchema,
  answer: 'json',
});

export const deploymentDelete = route({
  name: 'deploymentDelete',
  method: 'DELETE',
  path: '/api/v1/deployments/:name',
  summary: 'End a deployment for good; its container is stopped',
  audience: 'caller',
  params: byName,
  query: ofOwner,
  body: nothing,
  response: deploymentSchema,
  answer: 'json',
});

export const revocationList = route({
  name: 'revocationList',
  method: 'GET',
  path: '/api/v1/revocations',
  summary: 'Events that event criteria named and that occurred, newest first',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ revocations: Type.Array(revocationSchema) }),
  answer: 'json',
});
