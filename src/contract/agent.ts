import Type, { type Static } from 'typebox';
import { limits } from '../lib/limits.ts';
import { containerStateSchema, onLeaseEndSchema } from './fleet.ts';
import { nothing, route } from './route.ts';

/**
 * Between an agent and its region. The agent dials out, watches what it should run, and reports what it runs. Both are
 * whole states, never differences, so that a lost line or report is repaired by the next. Fields that one side does not
 * know are ignored, so that N and N−1 speak with each other.
 */

/**
 * `run`: start it, keep it running. `wait`: start nothing new, but leave what runs (bytes missing here, no grant, image
 * refused). `stop`: refuse to start, remove the copy, stop; also when it comes back.
 */
const assignmentSchema = Type.Object({
  deployment: Type.String({ description: 'uid' }),
  name: Type.String(),
  action: Type.Union([Type.Literal('run'), Type.Literal('wait'), Type.Literal('stop')]),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'of wait and stop' }),
  repository: Type.String(),
  manifestDigest: Type.String(),
  env: Type.Record(Type.String(), Type.String()),
  stopDeadlineMs: Type.Integer(),
  /** Left out: it may run for ever. Else only while it is renewed by answers to reports. */
  lease: Type.Optional(Type.Object({ leaseMs: Type.Integer(), onLeaseEnd: onLeaseEndSchema })),
});
export type Assignment = Readonly<Static<typeof assignmentSchema>>;

const assignmentsLineSchema = Type.Object({
  kind: Type.Union([Type.Literal('assignments'), Type.Literal('heartbeat')]),
  revision: Type.Integer({ description: 'the head of the region’s log' }),
  assignments: Type.Optional(Type.Array(assignmentSchema)),
});
export type AssignmentsLine = Readonly<Static<typeof assignmentsLineSchema>>;

const time = Type.Union([Type.Integer(), Type.Null()], { description: 'milliseconds since 1970' });

export const reportedContainerSchema = Type.Object({
  uid: Type.String({ minLength: 1, maxLength: 64 }),
  deployment: Type.String({ minLength: 1, maxLength: 64 }),
  manifestDigest: Type.String({ maxLength: 160 }),
  state: containerStateSchema,
  message: Type.Union([Type.String({ maxLength: 4096 }), Type.Null()]),
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  startedAt: time,
  stoppedAt: time,
});
export type ReportedContainer = Readonly<Static<typeof reportedContainerSchema>>;

/** Every container that the agent has, whatever its state. What ran before and is not named has gone. */
const agentReportSchema = Type.Object({
  revision: Type.Integer({ description: 'of the assignments that the agent acts on; 0 if it has none yet' }),
  runtime: Type.String({ maxLength: 64 }),
  containers: Type.Array(reportedContainerSchema, { maxItems: limits.agentReportContainersMax }),
});
export type AgentReport = Readonly<Static<typeof agentReportSchema>>;

/**
 * What renews leases. All of it was true at one moment after the report was sent, so an agent counts `remainingMs` from
 * when it sent the report, and takes over the assignments with it. Empty while the instance has nothing with a lease.
 */
const agentReportAnswerSchema = Type.Object({
  revision: Type.Optional(Type.Integer({ description: 'the head of the region’s log' })),
  assignments: Type.Optional(Type.Array(assignmentSchema)),
  leases: Type.Optional(
    Type.Array(Type.Object({ deployment: Type.String(), remainingMs: Type.Integer({ minimum: 1 }) }), {
      description: 'what is left of each lease; none while the region itself can’t hear the primary region',
    }),
  ),
});
export type AgentReportAnswer = Readonly<Static<typeof agentReportAnswerSchema>>;

export const agentAssignments = route({
  name: 'agentAssignments',
  method: 'GET',
  path: '/api/v1/agent/assignments',
  summary: 'What the calling instance should run: now, then at each change, with heartbeats between',
  audience: 'instance',
  params: nothing,
  query: nothing,
  body: nothing,
  response: assignmentsLineSchema,
  answer: 'lines',
});

export const agentReportSend = route({
  name: 'agentReportSend',
  method: 'POST',
  path: '/api/v1/agent/report',
  summary: 'What the calling instance runs; the answer renews its leases',
  audience: 'instance',
  params: nothing,
  query: nothing,
  body: agentReportSchema,
  response: agentReportAnswerSchema,
  answer: 'json',
});
