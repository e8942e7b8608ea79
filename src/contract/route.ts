import type { Static, TSchema } from 'typebox';

/** The method, path, shapes and audience of one management route: shared by the server, the client and the OpenAPI document. */
export interface Route<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema> {
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
  readonly body: B;
  readonly response: R;
  /** `json`: one answer. `lines`: one JSON value of `response` per line, until the caller hangs up or it ends. `bytes`: raw. */
  readonly answer: 'json' | 'lines' | 'bytes';
  /** The body is handed on as a stream instead of parsed. */
  readonly streamedBody?: boolean;
}

/** Keeps each schema's own type. */
export function route<P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  definition: Route<P, Q, B, R>,
): Route<P, Q, B, R> {
  return definition;
}

export type RouteInput<T> =
  T extends Route<infer P, infer Q, infer B, infer _R>
    ? { readonly params: Static<P>; readonly query: Static<Q>; readonly body: Static<B> }
    : never;
export type RouteAnswer<T> = T extends Route<infer _P, infer _Q, infer _B, infer R> ? Static<R> : never;
