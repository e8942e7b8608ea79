import type { FastifyRequest } from 'fastify';

/** What is learned about a request on its way and belongs in its line of the log and its metrics. */
export interface RequestFacts {
  principal?: string;
  /** In place of the path, whose names would make a metric per repository. */
  route?: string;
  /** Against its caller's rate. */
  counted?: boolean;
  /** Another process answers, counts and logs it. */
  handedOver?: boolean;
}

const facts = new WeakMap<FastifyRequest, RequestFacts>();

export function factsOf(request: FastifyRequest): RequestFacts {
  const known = facts.get(request);
  if (known) return known;
  const fresh: RequestFacts = {};
  facts.set(request, fresh);
  return fresh;
}
