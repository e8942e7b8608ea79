/** What several kinds of criteria have in common. */
import { LazaretError } from '../lib/errors.ts';
import type { Field } from '../lib/fields.ts';
import { globMatcher } from '../lib/globs.ts';
import { limits } from '../lib/limits.ts';
import type { Label, MatchPlace } from './criteria.ts';

export const matchPlaces = ['layer', 'image'] as const;

/** The schema of `in`. */
export const placeSchema = { enum: matchPlaces, description: 'where the match must be' } as const;

/** The schema of a glob over paths. */
export const pathGlobSchema = {
  type: 'string',
  pattern: '^(?!(?:[\\s\\S]*/)?\\.{0,2}(?:/|$))[^\\u0000]+$',
  maxLength: limits.globLengthMax,
  description: 'a glob; ** crosses folders',
} as const;

/** Text that is not empty and has no NUL, which neither engine can look for. */
export function parseText(field: Field, lengthMax: number): string {
  const text = field.text(lengthMax);
  if (text.includes('\0')) throw field.error('must not contain a NUL');
  return text;
}

export function parseGlob(field: Field): string {
  const glob = parseText(field, limits.globLengthMax);
  if (glob.startsWith('/'))
    throw field.error(`must not begin with '/'; paths in a layer have none: '${glob.replace(/^\/+/, '')}'`);
  if (glob.split('/').some((part) => part === '.' || part === '..' || part === ''))
    throw field.error("must not have an empty part, '.' or '..'");
  checkGlob(field, glob);
  return glob;
}

export function checkGlob(field: Field, glob: string): void {
  try {
    globMatcher(glob);
  } catch (cause) {
    if (cause instanceof LazaretError) throw field.error(cause.message, { cause });
    throw cause;
  }
}

export function parsePlace(body: Field): { in?: MatchPlace } {
  const place = body.optional('in')?.oneOf(matchPlaces);
  return place === undefined ? {} : { in: place };
}

export function placeSuffix(place: MatchPlace | undefined): string {
  if (place === undefined) return '';
  return place === 'layer' ? ' (in a layer)' : ' (in the image)';
}

const labelNameMax = 512;
const labelValueMax = 4_096;

export const labelSchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: '^[^\\u0000]+$', maxLength: labelNameMax },
    value: { type: 'string', pattern: '^[^\\u0000]*$', maxLength: labelValueMax },
  },
} as const;

export function parseLabel(label: Field): Label {
  label.keys(['name', 'value']);
  const value = label.optional('value');
  return {
    name: parseText(label.member('name'), labelNameMax),
    ...(value === undefined ? {} : { value: parseValue(value) }),
  };
}

/** May be empty. */
function parseValue(field: Field): string {
  const value = field.string(labelValueMax);
  return value === '' ? value : parseText(field, labelValueMax);
}

export function labelText({ name, value }: Label): string {
  return value === undefined ? name : `${name}=${value}`;
}

const timePattern =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2}))?$';

export const timeSchema = {
  type: 'string',
  pattern: timePattern,
  description: '2026-11-01, which begins in UTC, or 2026-11-01T09:30:00+01:00',
} as const;

/** A date, or RFC 3339 with its offset, so that no region reads it in its own zone. Stays as it was written. */
export function parseTime(field: Field): string {
  const text = field.string(64);
  if (new RegExp(timePattern).test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(timeMs(text)))
    return text;
  throw field.error(`'${text}' is not a time such as 2026-11-01 or 2026-11-01T12:00:00Z`);
}

/** `Date.parse` takes the 30th of February for a day in March. */
function isDay(text: string): boolean {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** Milliseconds since 1970 of what `parseTime` has read. */
export function timeMs(text: string): number {
  return Date.parse(text);
}
