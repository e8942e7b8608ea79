/** What the load process can be asked to do. What must be made beforehand (bytes, tokens, images) is no part of the time. */
import { type Static, Type } from 'typebox';

const Target = Type.Object({
  /** `http://127.0.0.1:5000`. */
  url: Type.String(),
  repository: Type.String(),
  /** Empty: none is sent. */
  authorization: Type.String(),
});

export const LoadJob = Type.Object({
  target: Target,
  work: Type.Union([
    /** One GET after another on each connection. Counts answers. */
    Type.Object({
      kind: Type.Literal('manifests'),
      tag: Type.String(),
      connections: Type.Number(),
      forMs: Type.Number(),
    }),
    /** One GET on each connection. Counts bytes. */
    Type.Object({ kind: Type.Literal('pulls'), digest: Type.String(), connections: Type.Number() }),
    /** One new blob on each connection. Counts bytes. */
    Type.Object({ kind: Type.Literal('pushes'), sizeBytes: Type.Number(), connections: Type.Number() }),
    /** New images, one after another, under one tag. Counts images. */
    Type.Object({ kind: Type.Literal('images'), images: Type.Number(), tag: Type.String() }),
    /** An image under so many tags. Counts tags. */
    Type.Object({ kind: Type.Literal('tags'), tags: Type.Number() }),
    /** The whole list of tags, page by page where there are pages, so often. Counts lists. */
    Type.Object({ kind: Type.Literal('lists'), tags: Type.Number(), lists: Type.Number() }),
  ]),
});

export const LoadResult = Type.Object({
  count: Type.Number(),
  ms: Type.Number(),
  /** Of a core, how much the load process took of it meanwhile: near 1, the client is what is measured. */
  clientCores: Type.Number(),
  /** Of the last blob that was pushed; else empty. */
  digest: Type.String(),
});

export type LoadTarget = Static<typeof Target>;
export type LoadWork = Static<typeof LoadJob>['work'];
export type LoadResult = Static<typeof LoadResult>;
