import Type, { type Static, type TSchema } from 'typebox';

/**
 * The shapes of the fleet: in the API, in events between regions, and between records and actions the same. Each object is
 * always carried whole, with its version (a log position at its origin), and is applied only if newer.
 */
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.Integer({ description: 'milliseconds since 1970' });
const version = Type.Integer({ description: 'log position at its origin' });

export const instanceSchema = Type.Object({
  uid: Type.String(),
  name: Type.String(),
  region: Type.String(),
  account: Type.String({ description: 'the entity that it belongs to' }),
  runtime: orNull(Type.String()),
  lastHeardAt: orNull(time),
  version,
});
export type Instance = Readonly<Static<typeof instanceSchema>>;

/** Event criteria with where they came from: `image sha256:…` (a referrer) or `deployment`. */
const attachedCriteriaSchema = Type.Object({ source: Type.String(), document: Type.Unknown() });
export type AttachedCriteria = Readonly<Static<typeof attachedCriteriaSchema>>;

/** What becomes of a container whose lease ends, without anybody saying so. */
export const onLeaseEndSchema = Type.Union([
  Type.Literal('stop'),
  Type.Literal('pause'),
  Type.Literal('keep'),
]);
export type OnLeaseEnd = Static<typeof onLeaseEndSchema>;

export const deploymentSchema = Type.Object({
  uid: Type.String(),
  name: Type.String(),
  account: Type.String({ description: 'the entity: whose instance it runs on' }),
  owner: Type.String({ description: 'the account of the repository' }),
  repository: Type.String(),
  reference: Type.String({ description: 'as it was given' }),
  manifestDigest: Type.String({ description: 'what the reference named then' }),
  region: Type.String(),
  instance: Type.String(),
  env: Type.Record(Type.String(), Type.String()),
  eventCriteria: Type.Array(attachedCriteriaSchema),
  stopDeadlineMs: Type.Integer(),
  leaseMs: orNull(Type.Integer()),
  onLeaseEnd: onLeaseEndSchema,
  desired: Type.Union([Type.Literal('running'), Type.Literal('stopped'), Type.Literal('removed')]),
  desiredReason: orNull(Type.String()),
  createdBy: Type.String(),
  createdAt: time,
  version,
});
export type Deployment = Readonly<Static<typeof deploymentSchema>>;

/** Why an event occurred. `key` is stable: a lifted revocation accepts its keys, and they don't fire again. */
const reasonSchema = Type.Object({
  key: Type.String(),
  text: Type.String({ description: 'for people' }),
  layer: orNull(Type.String()),
  path: orNull(Type.String()),
  purl: orNull(Type.String()),
  advisory: orNull(Type.String()),
  severity: orNull(Type.String()),
  fixedVersion: orNull(Type.String()),
});
export type Reason = Readonly<Static<typeof reasonSchema>>;

export const revocationSchema = Type.Object({
  uid: Type.String(),
  name: Type.String({ description: 'R-1' }),
  deploymentUid: Type.String(),
  account: Type.String({ description: 'the entity' }),
  repository: Type.String(),
  manifestDigest: Type.String(),
  trigger: Type.String({ description: 'the event that the criteria name, for people' }),
  evidence: Type.Array(reasonSchema),
  evidenceKey: Type.String(),
  cause: orNull(Type.String({ description: 'the event of the log that led to it' })),
  occurredAt: time,
  liftedAt: orNull(time),
  liftedBy: orNull(Type.String()),
  liftReason: orNull(Type.String()),
  version,
});
export type Revocation = Readonly<Static<typeof revocationSchema>>;

/**
 * `failed` has ended by itself, or could not be started, and is tried again; `refused` may not be started. `paused` is
 * frozen, and `leaseEnded` was ended, since the agent could not renew its lease; both go on with a new one.
 */
export const containerStateSchema = Type.Union([
  Type.Literal('starting'),
  Type.Literal('running'),
  Type.Literal('stopped'),
  Type.Literal('failed'),
  Type.Literal('refused'),
  Type.Literal('paused'),
  Type.Literal('leaseEnded'),
]);

export const containerSchema = Type.Object({
  uid: Type.String(),
  deploymentUid: Type.String(),
  region: Type.String(),
  instance: Type.String(),
  account: Type.String(),
  manifestDigest: Type.String(),
  state: containerStateSchema,
  message: orNull(Type.String()),
  exitCode: orNull(Type.Integer()),
  startedAt: orNull(time),
  stoppedAt: orNull(time),
  reportedAt: time,
  version,
});
export type Container = Readonly<Static<typeof containerSchema>>;

/** What `deployment.set` and `deployment.ended` carry: the row, and the revocations that changed with it. */
export const deploymentEventSchema = Type.Object({
  ...deploymentSchema.properties,
  revocations: Type.Optional(Type.Array(revocationSchema)),
});
