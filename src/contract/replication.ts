/**
 * How one region follows another, version 1. The follower opens one connection and names two cursors: positions in the
 * log of the region that it follows, up to which it has applied the quarantine lane and the content lane. It is sent
 * that region's own events only, each lane in order, the quarantine lane first whenever there is something in it, and
 * heartbeats. Bytes are fetched blob by blob, and the accounts whenever `access.changed` says so.
 */
import Type, { type Static } from 'typebox';
import { nothing, route } from './route.ts';

const nullableText = Type.Union([Type.String(), Type.Null()]);
const nullableTime = Type.Union([Type.Integer(), Type.Null()]);
const digestText = Type.String({ pattern: '^sha256:[a-f0-9]{64}$' });
const lane = Type.Union([Type.Literal('quarantine'), Type.Literal('content')]);

/** What inspection of a layer came to, without its inventory. */
const inspectionSummary = Type.Object({
  state: Type.Union([
    Type.Literal('pending'),
    Type.Literal('done'),
    Type.Literal('unknown'),
    Type.Literal('notApplicable'),
  ]),
  reason: nullableText,
  diffId: nullableText,
  uncompressedBytes: Type.Integer(),
  entries: Type.Integer(),
  durationMs: Type.Integer(),
  os: nullableText,
  version: Type.Integer(),
  inspectedAt: nullableTime,
});

/** What a follower needs to write a manifest's rows without any of its blobs; joined when the event is sent. */
const manifestAttachment = Type.Object({
  /** False: a blob that it needs was collected meanwhile, and it was withdrawn everywhere; an event that says so follows. */
  whole: Type.Boolean(),
  /** The bytes as they were pushed, base64. */
  body: Type.String(),
  mediaType: Type.String(),
  kind: Type.Union([Type.Literal('image'), Type.Literal('index'), Type.Literal('artifact')]),
  artifactType: nullableText,
  platform: nullableText,
  annotations: Type.Record(Type.String(), Type.String()),
  digestSha512: nullableText,
  edges: Type.Array(
    Type.Object({
      kind: Type.Union([
        Type.Literal('config'),
        Type.Literal('layer'),
        Type.Literal('child'),
        Type.Literal('subject'),
      ]),
      position: Type.Integer(),
      digest: Type.String(),
      mediaType: Type.String(),
      sizeBytes: Type.Integer({ minimum: 0 }),
      /** Of a layer: as the image's config claims it. */
      diffId: nullableText,
    }),
  ),
  /** The config and layers that are there, with what inspection has come to by now. */
  blobs: Type.Array(
    Type.Object({
      digest: digestText,
      digestSha512: nullableText,
      sizeBytes: Type.Integer({ minimum: 0 }),
      inspection: Type.Union([inspectionSummary, Type.Null()]),
    }),
  ),
});
export type ManifestAttachment = Static<typeof manifestAttachment>;

const replicatedEvent = Type.Object({
  position: Type.Integer({ minimum: 1 }),
  id: Type.String(),
  origin: Type.String(),
  type: Type.String(),
  lane,
  at: Type.Integer(),
  account: nullableText,
  subject: Type.String(),
  actor: Type.String(),
  cause: nullableText,
  data: Type.Record(Type.String(), Type.Unknown()),
});
export type ReplicatedEvent = Static<typeof replicatedEvent>;

export const replicationLine = Type.Union([
  Type.Object({ lane, event: replicatedEvent, attachment: Type.Optional(manifestAttachment) }),
  /** How far each lane goes, and the sender's wall time. Sent every few seconds, and at once when all was sent. */
  Type.Object({
    head: Type.Object({ quarantine: Type.Integer(), content: Type.Integer() }),
    at: Type.Integer(),
  }),
]);
export type ReplicationLine = Static<typeof replicationLine>;

export const replicationStream = route({
  name: 'replicationStream',
  method: 'GET',
  path: '/api/v1/replication/stream',
  summary: 'This region’s own events after two cursors, as they happen, with heartbeats',
  audience: 'region',
  params: nothing,
  query: Type.Object({
    quarantine: Type.Integer({ minimum: 0, default: 0 }),
    content: Type.Integer({ minimum: 0, default: 0 }),
  }),
  body: nothing,
  response: replicationLine,
  answer: 'lines',
});

/**
 * Leases count from when this was asked: whatever this region ended before it answered is in the quarantine lane up to
 * the head that it names.
 */
export const replicationHead = route({
  name: 'replicationHead',
  method: 'GET',
  path: '/api/v1/replication/head',
  summary: 'How far the lanes of this region’s own events go at this moment',
  audience: 'region',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ quarantine: Type.Integer(), content: Type.Integer() }),
  answer: 'json',
});

/** Accounts, and the people and robots with their roles. Instances and regions belong to the region they speak to. */
export const accessSnapshot = Type.Object({
  /** The log's head before it was read: events up to there are in it. */
  position: Type.Integer(),
  /** The keys that secrets are fingerprinted with, base64, by version; regions older than these have none. */
  fingerprintKeys: Type.Optional(
    Type.Array(Type.Object({ version: Type.Integer({ minimum: 1 }), key: Type.String() })),
  ),
  accounts: Type.Array(
    Type.Object({ name: Type.String(), createdAt: Type.Integer(), anonymousPull: Type.Boolean() }),
  ),
  principals: Type.Array(
    Type.Object({
      uid: Type.String(),
      name: Type.String(),
      kind: Type.Union([Type.Literal('user'), Type.Literal('robot')]),
      account: nullableText,
      secretHash: Type.String(),
      createdAt: Type.Integer(),
      disabledAt: nullableTime,
      expiresAt: nullableTime,
      securityVersion: Type.Integer(),
      bindings: Type.Array(
        Type.Object({
          role: Type.Union([
            Type.Literal('reader'),
            Type.Literal('writer'),
            Type.Literal('maintainer'),
            Type.Literal('security'),
            Type.Literal('admin'),
          ]),
          account: nullableText,
          repositoryGlob: nullableText,
        }),
      ),
    }),
  ),
});
export type AccessSnapshot = Static<typeof accessSnapshot>;

export const replicationAccess = route({
  name: 'replicationAccess',
  method: 'GET',
  path: '/api/v1/replication/access',
  summary: 'The accounts, and the people and robots with the hashes of their secrets',
  audience: 'region',
  params: nothing,
  query: nothing,
  body: nothing,
  response: accessSnapshot,
  answer: 'json',
});

export const replicationBlob = route({
  name: 'replicationBlob',
  method: 'GET',
  path: '/api/v1/replication/blobs/:digest',
  summary: 'The bytes of a blob that a repository holds, from an offset on; refused while quarantined there',
  audience: 'region',
  params: Type.Object({ digest: digestText }),
  query: Type.Object({
    repository: Type.String({ minLength: 1, maxLength: 255 }),
    from: Type.Integer({ minimum: 0, default: 0 }),
  }),
  body: nothing,
  response: Type.Unknown(),
  answer: 'bytes',
});
