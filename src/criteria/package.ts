import { PackageURL } from 'packageurl-js';
import { LazaretError } from '../lib/errors.ts';
import type { Field } from '../lib/fields.ts';
import { schemeOfPurlType } from '../versions/schemes.ts';
import { parseVersionRange } from '../versions/vers.ts';
import type { PackageCriteria } from './criteria.ts';
import { checkGlob, parsePlace, parseText, placeSchema, placeSuffix } from './parts.ts';

const nameLengthMax = 512;
/** What no ecosystem's versions have, and its tools' ranges do: `^4`, `~> 1.2`, `4.x`, `[1.0,2.0)`. */
const rangePattern = /^[~^<>=!*[(]|[*|,\s]|(?:^|\.)[xX]$/;
const typePattern = '^[a-z][a-z0-9.+-]{0,63}$';

/** By purl, or by a glob over names, where the type may be left out. Purls come back in their canonical form. */
export function parsePackage(body: Field): PackageCriteria['package'] {
  body.keys(['purl', 'type', 'name', 'versions', 'in']);
  const name = body.optional('name');
  if (name !== undefined) return parseNamed(body, name);
  if (body.optional('type')) throw body.member('type').error('goes with name; a purl has its type');
  const purlField = body.member('purl');
  const purl = parsePurl(purlField);
  if (purl.qualifiers !== undefined || purl.subpath !== undefined)
    throw purlField.error('must have no qualifiers and no subpath');
  if ([purl.namespace, purl.name, purl.version].some((part) => part?.includes('\0')))
    throw purlField.error('must not contain a NUL');
  if (purl.version && rangePattern.test(purl.version))
    throw purlField.error(
      `'${purl.version.slice(0, 100)}' is a range, not a version; say it in versions, as '>=4.0.0 <5.0.0'`,
    );
  const versions = body.optional('versions');
  if (versions !== undefined && purl.version !== undefined)
    throw versions.error('cannot be given with a purl that names a version');
  return { purl: purl.toString(), ...parseVersions(body, purl.type), ...parsePlace(body) };
}

export function describePackage({ in: place, ...asked }: PackageCriteria['package']): string {
  const what = 'name' in asked ? `a ${asked.type ?? ''} package named ${asked.name}` : asked.purl;
  const versions = asked.versions === undefined ? '' : ` ${asked.versions}`;
  return `contains ${what.replace('  ', ' ')}${versions}${placeSuffix(place)}`;
}

const versionsSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  description: '<4.17.21, or vers:npm/<4.17.21',
} as const;

export const packageSchema = {
  oneOf: [
    {
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
        versions: versionsSchema,
        in: placeSchema,
      },
    },
    {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      dependentRequired: { versions: ['type'] },
      properties: {
        type: { type: 'string', pattern: typePattern, description: 'of a purl: npm, deb' },
        name: {
          type: 'string',
          pattern: '^[^\\u0000]+$',
          maxLength: nameLengthMax,
          description: 'a glob over names as advisories write them: @babel/*, org.apache.**',
        },
        versions: versionsSchema,
        in: placeSchema,
      },
    },
  ],
} as const;

function parseNamed(body: Field, nameField: Field): PackageCriteria['package'] {
  if (body.optional('purl')) throw nameField.error('cannot be given with a purl, which has its name');
  const type = body.optional('type')?.text(64);
  if (type !== undefined && !new RegExp(typePattern).test(type))
    throw body.member('type').error(`'${type}' is not the type of a purl`);
  const name = parseText(nameField, nameLengthMax);
  checkGlob(nameField, name);
  const versions = body.optional('versions');
  if (versions !== undefined && type === undefined)
    throw versions.error('needs a type, whose rules compare them');
  return {
    ...(type === undefined ? {} : { type }),
    name,
    ...(type === undefined ? {} : parseVersions(body, type)),
    ...parsePlace(body),
  };
}

function parsePurl(field: Field): PackageURL {
  const text = field.text(1_024);
  try {
    return PackageURL.fromString(text);
  } catch (cause) {
    throw field.error(`'${text.slice(0, 200)}' is not a package URL such as pkg:npm/lodash`, { cause });
  }
}

function parseVersions(body: Field, purlType: string): { versions?: string } {
  const field = body.optional('versions');
  if (field === undefined) return {};
  const versions = field.text();
  const scheme = schemeOfPurlType(purlType);
  if (scheme === undefined) throw field.error(`versions of pkg:${purlType} cannot be compared yet`);
  try {
    parseVersionRange(versions, scheme);
  } catch (cause) {
    if (cause instanceof LazaretError) throw field.error(cause.message, { cause });
    throw cause;
  }
  return { versions };
}
