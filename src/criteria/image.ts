import { parseDuration } from '../lib/duration.ts';
import type { Field } from '../lib/fields.ts';
import type { ImageCriteria } from './criteria.ts';
import {
  checkGlob,
  labelSchema,
  labelText,
  parseLabel,
  parseText,
  parseTime,
  timeMs,
  timeSchema,
} from './parts.ts';

const globLengthMax = 512;
const durationPattern = '^[0-9]{1,15}(?:ms|s|m|h|d)$';
const platformPattern = '^[a-z0-9]+(?:/[a-z0-9_.-]+){0,2}$';
const digestPattern = '^sha256:[a-f0-9]{64}$';

/** What it may ask, and how each is said: `repository`, `pushedBy`. */
const asks = [
  'repository',
  'tag',
  'label',
  'platform',
  'olderThan',
  'newerThan',
  'notPulledFor',
  'pushedBy',
  'pushedAfter',
  'pushedBefore',
  'base',
  'source',
  'revision',
] as const;

export function parseImage(body: Field): ImageCriteria['image'] {
  body.keys(asks);
  const parts = asks.flatMap((key) => {
    const field = body.optional(key);
    return field === undefined ? [] : [[key, parsePart(key, field)] as const];
  });
  if (parts.length === 0) throw body.error(`must have at least one of ${asks.join(', ')}`);
  const image: ImageCriteria['image'] = Object.fromEntries(parts);
  assertSomeTime(body, image);
  return image;
}

/** Where one bound lies beyond the other, no image matches, which is nothing that anybody asks. */
function assertSomeTime(body: Field, image: ImageCriteria['image']): void {
  const { olderThan, newerThan, pushedAfter, pushedBefore } = image;
  if (olderThan && newerThan && parseDuration(olderThan) >= parseDuration(newerThan))
    throw body.member('olderThan').error(`is not less than newerThan, ${newerThan}: no image is`);
  if (pushedAfter && pushedBefore && timeMs(pushedAfter) >= timeMs(pushedBefore))
    throw body.member('pushedAfter').error(`is not before pushedBefore, ${pushedBefore}: no image is`);
}

export function describeImage(image: ImageCriteria['image']): string {
  const { label, ...texts } = image;
  const parts = [
    ...asks.flatMap((key) => {
      const text = key === 'label' ? undefined : texts[key];
      return text === undefined ? [] : [`${said[key]} ${key === 'base' ? `${text.slice(0, 19)}…` : text}`];
    }),
    ...(label === undefined ? [] : [`has label ${labelText(label)}`]),
  ];
  return parts.join(' and ');
}

const said: Readonly<Record<(typeof asks)[number], string>> = {
  repository: 'is in',
  tag: 'is tagged',
  label: 'has label',
  platform: 'is for',
  olderThan: 'is older than',
  newerThan: 'is newer than',
  notPulledFor: 'was not pulled for',
  pushedBy: 'was pushed by',
  pushedAfter: 'was pushed after',
  pushedBefore: 'was pushed before',
  base: 'is built on',
  source: 'is from',
  revision: 'is of revision',
};

const globSchema = { type: 'string', pattern: '^[^\\u0000]+$', maxLength: globLengthMax } as const;
const durationSchema = { type: 'string', pattern: durationPattern, description: '90d' } as const;

export const imageSchema = {
  type: 'object',
  additionalProperties: false,
  anyOf: asks.map((key) => ({ required: [key] })),
  properties: {
    repository: { ...globSchema, description: 'a glob over names of repositories: acme/**' },
    tag: { ...globSchema, description: 'a glob over its tags, also those of an index above it' },
    label: labelSchema,
    platform: { type: 'string', pattern: platformPattern, description: 'linux, linux/arm64, linux/arm/v7' },
    olderThan: { ...durationSchema, description: 'built longer ago than 90d, as its config says' },
    newerThan: durationSchema,
    notPulledFor: { ...durationSchema, description: 'neither pulled here nor pushed for so long' },
    pushedBy: { ...globSchema, description: 'a glob over names of users and robots' },
    pushedAfter: timeSchema,
    pushedBefore: timeSchema,
    base: {
      type: 'string',
      pattern: digestPattern,
      description:
        'a layer that it has, by digest or diff id; or an image or index whose layers are its lowest',
    },
    source: { ...globSchema, description: 'a glob over org.opencontainers.image.source' },
    revision: { ...globSchema, description: 'a glob over org.opencontainers.image.revision' },
  },
} as const;

function parsePart(key: (typeof asks)[number], field: Field): unknown {
  switch (key) {
    case 'label':
      return parseLabel(field);
    case 'platform':
      return matching(field, platformPattern, 'is not a platform such as linux/arm64');
    case 'base':
      return matching(field, digestPattern, 'is not a digest such as sha256:…, with 64 hexadecimal digits');
    case 'olderThan':
    case 'newerThan':
    case 'notPulledFor': {
      const text = field.text(32);
      parseDuration(text, field.path);
      return text;
    }
    case 'pushedAfter':
    case 'pushedBefore':
      return parseTime(field);
    default:
      return parseTextGlob(field);
  }
}

function parseTextGlob(field: Field): string {
  const glob = parseText(field, globLengthMax);
  checkGlob(field, glob);
  return glob;
}

function matching(field: Field, pattern: string, problem: string): string {
  const text = field.text(256);
  if (new RegExp(pattern).test(text)) return text;
  throw field.error(`'${text}' ${problem}`);
}
