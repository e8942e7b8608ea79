import { advisorySchema } from './advisory.ts';
import { configSchema } from './config.ts';
import { fileSchema } from './file.ts';
import { imageSchema } from './image.ts';
import { licenseSchema } from './license.ts';
import { malwareSchema } from './malware.ts';
import { packageSchema } from './package.ts';
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
        only('malware', { $ref: '#/$defs/malware' }),
        only('config', { $ref: '#/$defs/config' }),
        only('license', { $ref: '#/$defs/license' }),
        only('image', { $ref: '#/$defs/image' }),
      ],
    },
    package: packageSchema,
    advisory: advisorySchema,
    file: fileSchema,
    secret: secretSchema,
    malware: malwareSchema,
    config: configSchema,
    license: licenseSchema,
    image: imageSchema,
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
