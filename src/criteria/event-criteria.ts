import { formatDuration, parseDuration } from '../lib/duration.ts';
import { assertNever, LazaretError } from '../lib/errors.ts';
import { Field, parseJsonField } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import type { Criteria } from './criteria.ts';
import { describeCriteria } from './describe.ts';
import { parseCriteria } from './parse.ts';

/**
 * What the owner of an image attaches to it: the events that end its containers, and how. The document is
 *
 *     { "when": [ { "imageMeets": { "advisory": { "severity": "high", "fixed": true } } }, { "quarantined": true } ],
 *       "response": "stop", "stopDeadline": "10s" }
 *
 * Any one event of `when` brings the response. It is pushed as an artifact whose `subject` is the image and whose one
 * layer is the document.
 */
export interface EventCriteria {
  readonly when: readonly EventCriterion[];
  readonly response: EventResponse;
  /** From the request to end (TERM) to the end by force (KILL). */
  readonly stopDeadlineMs: number;
}

export type EventCriterion =
  | { readonly kind: 'imageMeets'; readonly criteria: Criteria }
  | { readonly kind: 'quarantined' }
  | { readonly kind: 'grantRevoked' }
  /** Occurs at this moment, milliseconds since 1970. */
  | { readonly kind: 'until'; readonly untilMs: number }
  /** Occurs so long after the container started. */
  | { readonly kind: 'after'; readonly afterMs: number };

export type EventResponse = (typeof eventResponses)[number];

export const eventCriteriaMediaType = 'application/vnd.lazaret.event-criteria.v1+json';
/** From least to most force. */
export const eventResponses = ['notify', 'stop'] as const;
export const defaultStopDeadlineMs = 10_000;

const laterResponses: readonly unknown[] = ['pause', 'isolate'];
const kinds = ['imageMeets', 'quarantined', 'grantRevoked', 'until', 'after'] as const;
const laterKinds: readonly string[] = ['tagMoved', 'cloudEvent', 'failed'];

/** The bytes of the referrer's layer. @throws tooLarge, invalid with `detail.path` */
export function readEventCriteria(bytes: Uint8Array): EventCriteria {
  if (bytes.length > limits.eventCriteriaBytesMax)
    throw new LazaretError(
      'tooLarge',
      `event criteria of ${bytes.length} bytes; at most ${limits.eventCriteriaBytesMax} are accepted`,
      {
        detail: { limit: 'eventCriteriaBytesMax', bytes: bytes.length },
      },
    );
  return parseEventCriteria(parseJsonField(bytes, 'eventCriteria').value);
}

/** @throws invalid, with the place in `detail.path`: `eventCriteria.when[0].after` */
export function parseEventCriteria(value: unknown, path = 'eventCriteria'): EventCriteria {
  const document = new Field(value, path);
  document.keys(['when', 'response', 'stopDeadline']);
  const when = document.member('when');
  const events = when.items(limits.eventCriteriaEventsMax);
  if (events.length === 0) throw when.error('must not be empty');
  const deadline = document.optional('stopDeadline');
  return {
    when: events.map(parseEvent),
    response: parseResponse(document.member('response')),
    stopDeadlineMs:
      deadline === undefined ? defaultStopDeadlineMs : parseDuration(deadline.string(), deadline.path),
  };
}

/** The document that `parseEventCriteria` reads back. */
export function formatEventCriteria(criteria: EventCriteria): Readonly<Record<string, unknown>> {
  return {
    when: criteria.when.map(formatEvent),
    response: criteria.response,
    stopDeadline: formatDuration(criteria.stopDeadlineMs),
  };
}

/** A clause for people: `a fixable advisory of severity high or worse applies`, `its image is quarantined`. */
export function describeEvent(event: EventCriterion): string {
  switch (event.kind) {
    case 'imageMeets':
      return describeCriteria(event.criteria);
    case 'quarantined':
      return 'its image is quarantined';
    case 'grantRevoked':
      return 'the grant of its image is revoked';
    case 'until':
      return `it is ${new Date(event.untilMs).toISOString()}`;
    case 'after':
      return `it has run for ${formatDuration(event.afterMs)}`;
    default:
      return assertNever(event);
  }
}

function parseEvent(event: Field): EventCriterion {
  for (const key of Object.keys(event.object()))
    if (laterKinds.includes(key)) throw event.member(key).error('this kind of event is not supported yet');
  const keys = event.keys(kinds);
  const kind = kinds.find((candidate) => candidate === keys[0]);
  if (kind === undefined || keys.length > 1)
    throw event.error(`must have exactly one of ${kinds.join(', ')}; a further event is a further entry`);
  const body = event.member(kind);
  switch (kind) {
    case 'imageMeets':
      return { kind, criteria: parseCriteria(body.value, body.path) };
    case 'quarantined':
    case 'grantRevoked':
      if (!body.boolean()) throw body.error('must be true; leave it out to not ask for it');
      return { kind };
    case 'until':
      return { kind, untilMs: parseMoment(body) };
    case 'after':
      return { kind, afterMs: parseDuration(body.string(), body.path) };
  }
}

/** RFC 3339 with its offset, so that no region reads it in its own zone. */
function parseMoment(field: Field): number {
  const text = field.string(64);
  const ms = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms)) throw field.error(`'${text}' is not a time such as 2027-01-31T12:00:00Z`);
  return ms;
}

function parseResponse(field: Field): EventResponse {
  if (laterResponses.includes(field.value))
    throw field.error(`'${field.value}' is not supported yet; use notify or stop`);
  return field.oneOf(eventResponses);
}

function formatEvent(event: EventCriterion): Readonly<Record<string, unknown>> {
  switch (event.kind) {
    case 'imageMeets':
      return { imageMeets: event.criteria };
    case 'quarantined':
    case 'grantRevoked':
      return { [event.kind]: true };
    case 'until':
      return { until: new Date(event.untilMs).toISOString() };
    case 'after':
      return { after: formatDuration(event.afterMs) };
    default:
      return assertNever(event);
  }
}
