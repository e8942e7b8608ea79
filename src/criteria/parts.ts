/** What several kinds of criteria have in common. */
import type { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import type { MatchPlace } from './criteria.ts';

export const matchPlaces = ['layer', 'image'] as const;

/** The schema of `in`. */
export const placeSchema = { enum: matchPlaces, description: 'where the match must be' } as const;

/** The schema of a glob over paths. */
export const pathGlobSchema = {
  type: 'string',
  pattern: '^(?!(?:[\\s\\S]*/)?\\.{0,2}(?:/|$))[^\\u0000]+$',
  maxLength: 4096,
  description: 'a glob; ** crosses folders',
} as const;

export function parseGlob(field: Field): string {
  const glob = field.text(limits.layerPathBytesMax);
  if (glob.startsWith('/'))
    throw field.error(`must not begin with '/'; paths in a layer have none: '${glob.replace(/^\/+/, '')}'`);
  if (glob.includes('\0')) throw field.error('must not contain a NUL');
  if (glob.split('/').some((part) => part === '.' || part === '..' || part === ''))
    throw field.error("must not have an empty part, '.' or '..'");
  return glob;
}

export function parsePlace(body: Field): { in?: MatchPlace } {
  const place = body.optional('in')?.oneOf(matchPlaces);
  return place === undefined ? {} : { in: place };
}

export function placeSuffix(place: MatchPlace | undefined): string {
  if (place === undefined) return '';
  return place === 'layer' ? ' (in a layer)' : ' (in the image)';
}
