import type { Static, TSchema } from 'typebox';
import { checked } from '../../contract/check.ts';
import type { AnswerKind, AnyRoute, Frozen, Route } from '../../contract/route.ts';
import type { Caller } from '../../records/access/caller.ts';

/** What a handler is given: checked against the route's schemas, with the caller known and the audience checked. */
export interface HandlerInput<P extends TSchema, Q extends TSchema, B extends TSchema> {
  readonly params: Static<P>;
  readonly query: Static<Q>;
  readonly body: Static<B>;
  readonly caller: Caller;
  /** Aborts when the client hangs up or the server shuts down. */
  readonly signal: AbortSignal;
  /** The raw body of a route with `streamedBody`; empty for the others. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/** What a route of kind `bytes` answers. */
export interface ByteAnswer {
  readonly contentType: string;
  readonly sizeBytes?: number;
  readonly stream: AsyncIterable<Uint8Array>;
}

export type HandlerAnswer<R extends TSchema, A extends AnswerKind> = A extends 'lines'
  ? AsyncIterable<Frozen<Static<R>>>
  : A extends 'bytes'
    ? ByteAnswer
    : Frozen<Static<R>>;

/** A request before its parts were checked. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** A route with its handler, the types of both proved to agree and then forgotten. */
export interface BoundRoute {
  readonly route: AnyRoute;
  /** Resolves to a JSON value, an iterable of them, or a ByteAnswer, as `route.answer` says. */
  readonly answer: (input: RawInput) => Promise<unknown>;
}

/** Joins a route with what answers it. Input that does not have the route's shape never reaches the handler. */
export function bind<
  P extends TSchema,
  Q extends TSchema,
  B extends TSchema,
  R extends TSchema,
  A extends AnswerKind,
>(
  route: Route<P, Q, B, R, A>,
  handler: (input: HandlerInput<P, Q, B>) => HandlerAnswer<R, A> | Promise<HandlerAnswer<R, A>>,
): BoundRoute {
  return {
    route,
    answer: async ({ params, query, body, caller, signal, stream }) =>
      handler({
        params: await checked(route.params, params, { where: 'path', convert: true }),
        query: await checked(route.query, query, { where: 'query', convert: true }),
        body: await checked(route.body, body, { where: 'body' }),
        caller,
        signal,
        stream,
      }),
  };
}
