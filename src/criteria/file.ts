import { parseBytes } from '../lib/bytes.ts';
import type { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import type { FileCriteria } from './criteria.ts';
import { checkGlob, parseGlob, parsePlace, pathGlobSchema, placeSchema, placeSuffix } from './parts.ts';

const asks = ['path', 'name', 'sha256', 'setuid', 'sizeMin', 'sizeMax'] as const;
const sizePattern = '^[0-9]{1,12}(?:\\.[0-9]{1,3})? ?(?:B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$';

export function parseFile(body: Field): FileCriteria['file'] {
  body.keys([...asks, 'in']);
  const [path, name, sha256, setuid, sizeMin, sizeMax] = asks.map((key) => body.optional(key));
  if (!path && !name && !sha256 && !setuid && !sizeMin && !sizeMax)
    throw body.error(`must have at least one of ${asks.join(', ')}`);
  if (path && name) throw name.error('cannot be given with a path, whose last part it is');
  const file = {
    ...(path ? { path: parseGlob(path) } : {}),
    ...(name ? { name: parseName(name) } : {}),
    ...(sha256 ? { sha256: parseSha256(sha256) } : {}),
    ...(setuid ? { setuid: setuid.boolean() } : {}),
    ...(sizeMin ? { sizeMin: parseSize(sizeMin) } : {}),
    ...(sizeMax ? { sizeMax: parseSize(sizeMax) } : {}),
    ...parsePlace(body),
  };
  if (sizeMin && file.sizeMin && file.sizeMax && parseBytes(file.sizeMin) > parseBytes(file.sizeMax))
    throw sizeMin.error(`is over sizeMax, ${file.sizeMax}: no file is`);
  if (!isSelective(file))
    throw body.error('is of too many files: add a path, a name, a sha256, or a sizeMin of 10MiB or more');
  return file;
}

/** What no index finds has to go with what one does. */
function isSelective({ path, name, sha256, setuid, sizeMin }: FileCriteria['file']): boolean {
  if (path !== undefined || name !== undefined || sha256 !== undefined || setuid === true) return true;
  return sizeMin !== undefined && parseBytes(sizeMin) >= limits.largeFileBytes;
}

export function describeFile(asked: FileCriteria['file']): string {
  const { path, name, sha256, setuid, sizeMin, sizeMax, in: place } = asked;
  const kind = { true: 'a set-user-id file', false: 'a file without set-user-id', undefined: 'a file' }[
    `${setuid}`
  ];
  const parts = [
    `contains ${kind}`,
    ...(path === undefined ? [] : [`at ${path}`]),
    ...(name === undefined ? [] : [`named ${name}`]),
    ...(sha256 === undefined ? [] : [`with sha256 ${sha256.slice(0, 12)}…`]),
    ...(sizeMin === undefined ? [] : [`of at least ${sizeMin}`]),
    ...(sizeMax === undefined ? [] : [`of at most ${sizeMax}`]),
  ];
  return `${parts.join(' ')}${placeSuffix(place)}`;
}

const sizeSchema = { type: 'string', pattern: sizePattern, description: '10MiB' } as const;

export const fileSchema = {
  type: 'object',
  additionalProperties: false,
  anyOf: asks.map((key) => ({ required: [key] })),
  not: { required: ['path', 'name'] },
  properties: {
    path: pathGlobSchema,
    name: {
      type: 'string',
      pattern: '^(?!\\.{0,2}$)[^/\\u0000]+$',
      maxLength: limits.globLengthMax - '**/'.length,
      description: 'a glob over the last part of the path, in archives too',
    },
    sha256: { type: 'string', pattern: '^[a-f0-9]{64}$' },
    setuid: { type: 'boolean' },
    sizeMin: sizeSchema,
    sizeMax: sizeSchema,
    in: placeSchema,
  },
} as const;

/** A glob over paths that have this name. */
export function pathOfName(name: string): string {
  return `**/${name}`;
}

function parseName(field: Field): string {
  const glob = parseGlob(field);
  if (glob.includes('/')) throw field.error("must have no '/'; use path");
  checkGlob(field, pathOfName(glob));
  return glob;
}

function parseSha256(field: Field): string {
  const hex = field.string();
  if (/^[a-f0-9]{64}$/.test(hex)) return hex;
  throw field.error('must be 64 lower-case hexadecimal digits');
}

function parseSize(field: Field): string {
  const text = field.text(32);
  parseBytes(text, field.path);
  return text;
}
