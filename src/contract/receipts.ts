import Type from 'typebox';
import { eventSchema } from './events.ts';
import { acknowledgementSchema, quarantineSchema } from './quarantines.ts';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);

export const receiptSchema = Type.Object({
  quarantine: quarantineSchema,
  issuedAt: Type.Integer(),
  regions: Type.Array(acknowledgementSchema),
  layers: Type.Array(Type.Object({ digest: Type.String(), state: Type.String() })),
  containers: Type.Array(
    Type.Object({
      uid: Type.String(),
      deployment: Type.String(),
      account: Type.String(),
      region: Type.String(),
      instance: Type.String(),
      manifestDigest: Type.String(),
      state: Type.String(),
      startedAt: integerOrNull,
      stoppedAt: integerOrNull,
      exitCode: integerOrNull,
      reportedAt: Type.Integer({ description: 'when it changed last' }),
      heardAt: Type.Integer({ description: 'when its agent, or its region, was heard last' }),
      outcome: Type.String({ description: 'stopped, leaseEnded, unreachable, paused or running' }),
      proof: Type.Boolean({ description: 'its exit was seen' }),
    }),
  ),
  revocations: Type.Array(
    Type.Object({
      name: Type.String(),
      deployment: Type.String(),
      account: Type.String(),
      manifestDigest: Type.String(),
      trigger: Type.String(),
      occurredAt: Type.Integer(),
      liftedAt: integerOrNull,
      liftReason: textOrNull,
    }),
  ),
  refused: Type.Integer({ description: 'requests for it that were turned away in this region' }),
  events: Type.Array(eventSchema),
});

export const receiptShow = route({
  name: 'receiptShow',
  method: 'GET',
  path: '/api/v1/receipts/:name',
  summary: 'What became of everything that a quarantine reached',
  audience: 'caller',
  params: Type.Object({ name: Type.String({ description: 'Q-17' }) }),
  query: nothing,
  body: nothing,
  response: receiptSchema,
  answer: 'json',
});
