import Type, { type Static, type TSchema } from 'typebox';

/** `json`: one answer. `lines`: one JSON value of `response` per line, until the caller hangs up or it ends. `bytes`: raw. */
export type AnswerKind = 'json' | 'lines' | 'bytes';

/** The method, path, shapes and audience of one management route: shared by the server, the client and the OpenAPI document. */
export interface Route<
  P extends TSchema,
  Q extends TSchema,
  B extends TSchema,
  R extends TSchema,
  A extends AnswerKind = AnswerKind,
> {
  /** `imageList`: noun, then verb; unique; the client's method and OpenAPI's operationId. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/api/v1/deployments/:name`. */
  readonly path: string;
  readonly summary: string;
  /** Who may call at all; what they may do is decided by the handler from `Caller`. */
  readonly audience: 'anyone' | 'caller' | 'operator' | 'region' | 'instance';
  readonly params: P;
  readonly query: Q;
  /** `nothing` where there is none. */
  readonly body: B;
  readonly response: R;
  readonly answer: A;
  /** The body is handed on as a stream instead of parsed. */
  readonly streamedBody?: boolean;
}

export type AnyRoute = Route<TSchema, TSchema, TSchema, TSchema>;

/** Keeps each schema's own type. */
export function route<
  P extends TSchema,
  Q extends TSchema,
  B extends TSchema,
  R extends TSchema,
  A extends AnswerKind,
>(definition: Route<P, Q, B, R, A>): Route<P, Q, B, R, A> {
  return definition;
}

/** For params, query, body or response where there are none. */
export const nothing = Type.Object({});

/** What callers and handlers pass in is read-only; the schemas' own types are not. */
export type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

export type RouteInput<T> =
  T extends Route<infer P, infer Q, infer B, infer _R>
    ? { readonly params: Static<P>; readonly query: Static<Q>; readonly body: Static<B> }
    : never;
export type RouteAnswer<T> = T extends Route<infer _P, infer _Q, infer _B, infer R> ? Static<R> : never;
