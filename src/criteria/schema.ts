import { configSchema } from './config.ts';
import { licenseSchema } from './license.ts';
import { severities } from './parse.ts';
import { pathGlobSchema, placeSchema as place } from './parts.ts';
import { secretSchema } from './secret.ts';

const node = { $ref: '#/$defs/criteria' } as const;
const nodes = { type: 'array', minItems: 1, items: node } as const;

/**
 * The published JSON Schema (draft 2020-12) of criteria. It says what a document looks like; `parseCriteria` also
 * checks what a schema can't say: depth and count, that the purl is one, and that versions compare in its ecosystem.
 */
export const criteriaSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:lazaret:criteria:v1',
  title: 'Lazaret criteria',
  $ref: '#/$defs/criteria',
  $defs: {
    criteria: {
      oneOf: [
        only('all', nodes),
        only('any', nodes),
        only('not', node),
        only('package', { $ref: '#/$defs/package' }),
        only('advisory', { $ref: '#/$defs/advisory' }),
        only('file', { $ref: '#/$defs/file' }),
        only('secret', { $ref: '#/$defs/secret' }),
        only('config', { $ref: '#/$defs/config' }),
        only('license', { $ref: '#/$defs/license' }),
      ],
    },
    package: {
      type: 'object',
      required: ['purl'],
      additionalProperties: false,
      properties: {
        purl: {
          type: 'string',
          pattern: '^pkg:[^?#]+$',
          maxLength: 1024,
          description: 'without qualifiers: pkg:npm/lodash',
        },
        versions: {
          type: 'string',
          minLength: 1,
          maxLength: 1024,
          description: '<4.17.21, or vers:npm/<4.17.21',
        },
        in: place,
      },
    },
    advisory: {
      type: 'object',
      additionalProperties: false,
      anyOf: [{ required: ['id'] }, { required: ['severity'] }, { required: ['fixed'] }],
      properties: {
        id: {
          type: 'string',
          pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]*$',
          maxLength: 128,
          description: 'an id or an alias',
        },
        severity: { enum: severities, description: 'this severity or worse' },
        fixed: { type: 'boolean', description: 'whether a fixed version is known' },
        in: place,
      },
    },
    file: {
      type: 'object',
      additionalProperties: false,
      anyOf: [{ required: ['path'] }, { required: ['sha256'] }, { required: ['setuid'] }],
      properties: {
        path: pathGlobSchema,
        sha256: { type: 'string', pattern: '^[a-f0-9]{64}$' },
        setuid: { type: 'boolean' },
        in: place,
      },
    },
    secret: secretSchema,
    config: configSchema,
    license: licenseSchema,
  },
} as const;

function only<const Key extends string, Body>(key: Key, body: Body) {
  return {
    type: 'object',
    required: [key],
    additionalProperties: false,
    properties: { [key]: body },
  } as const;
}
