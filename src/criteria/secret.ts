import type { Field } from '../lib/fields.ts';
import { globMatcher } from '../lib/globs.ts';
import { parseFingerprint } from '../secrets/fingerprint.ts';
import { secretKindIds } from '../secrets/kinds.ts';
import type { SecretCriteria } from './criteria.ts';
import { checkGlob, parseGlob, parsePlace, pathGlobSchema, placeSchema, placeSuffix } from './parts.ts';

export function parseSecret(body: Field): SecretCriteria['secret'] {
  body.keys(['kind', 'path', 'fingerprint', 'in']);
  const kind = body.optional('kind');
  const path = body.optional('path');
  const fingerprint = body.optional('fingerprint');
  if (kind === undefined && path === undefined && fingerprint === undefined)
    throw body.error("must have at least one of kind, path, fingerprint; kind: '*' is every kind");
  return {
    ...(kind === undefined ? {} : { kind: parseKind(kind) }),
    ...(path === undefined ? {} : { path: parseGlob(path) }),
    ...(fingerprint === undefined ? {} : { fingerprint: parseFingerprintText(fingerprint) }),
    ...parsePlace(body),
  };
}

/** The kinds that a glob over their names means. */
export function secretKindsNamed(glob: string): readonly string[] {
  return secretKindIds.filter(globMatcher(glob));
}

export function describeSecret({ kind, path, fingerprint, in: place }: SecretCriteria['secret']): string {
  const what =
    fingerprint !== undefined
      ? `the secret with fingerprint ${fingerprint.slice(0, 14)}…`
      : kind === undefined || kind === '*'
        ? 'a secret'
        : `a secret of kind ${kind}`;
  return `contains ${what}${path === undefined ? '' : ` at ${path}`}${placeSuffix(place)}`;
}

export const secretSchema = {
  type: 'object',
  additionalProperties: false,
  anyOf: [{ required: ['kind'] }, { required: ['path'] }, { required: ['fingerprint'] }],
  properties: {
    kind: {
      type: 'string',
      pattern: '^[a-z0-9*?{},-]+$',
      maxLength: 128,
      description: 'a kind of docs/reference/secret-kinds.md, or a glob over their names: aws-*',
    },
    path: pathGlobSchema,
    fingerprint: {
      type: 'string',
      pattern: '^[1-9][0-9]{0,8}:[0-9a-f]{64}$',
      description: 'of one secret, as lists show it',
    },
    in: placeSchema,
  },
} as const;

function parseKind(field: Field): string {
  const glob = field.text(128);
  if (!/^[a-z0-9*?{},-]+$/.test(glob)) throw field.error(`'${glob}' is not a kind of secrets`);
  if (!/[*?{}]/.test(glob)) return field.oneOf(secretKindIds);
  checkGlob(field, glob);
  if (secretKindsNamed(glob).length > 0) return glob;
  throw field.error(`no kind of secrets is named like '${glob}'`);
}

function parseFingerprintText(field: Field): string {
  const text = field.string(80);
  if (parseFingerprint(text)) return text;
  throw field.error("must be a fingerprint as lists show it, such as '1:' and 64 hexadecimal digits");
}
