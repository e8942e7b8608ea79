import type { Field } from '../lib/fields.ts';
import { type Licence, licencesIn, parseExpression } from '../licences/expression.ts';
import { spdxOf } from '../licences/spdx-of.ts';
import type { LicenseCriteria } from './criteria.ts';
import { parsePlace, placeSchema, placeSuffix } from './parts.ts';

const namesMax = 200;
const nameLengthMax = 256;

/** A licence by itself is short for `{anyOf: [it]}`. */
export function parseLicense(body: Field): LicenseCriteria['license'] {
  if (typeof body.value === 'string') return { anyOf: [parseName(body)] };
  body.keys(['anyOf', 'notSatisfiedBy', 'in']);
  const [anyOf, notSatisfiedBy] = [body.optional('anyOf'), body.optional('notSatisfiedBy')];
  if ((anyOf === undefined) === (notSatisfiedBy === undefined))
    throw body.error('must have one of anyOf, notSatisfiedBy');
  return {
    ...(anyOf ? { anyOf: parseNames(anyOf) } : {}),
    ...(notSatisfiedBy ? { notSatisfiedBy: parseNames(notSatisfiedBy) } : {}),
    ...parsePlace(body),
  };
}

/** The licences that criteria name, which `parseLicense` has found to be ones. */
export function licencesNamed(names: readonly string[]): readonly Licence[] {
  return names.flatMap((name) => licencesIn(parseExpression(name) ?? assertParsed(name)));
}

export function describeLicense({ anyOf, notSatisfiedBy, in: place }: LicenseCriteria['license']): string {
  const text =
    anyOf === undefined
      ? `contains a package whose licence is not met by ${(notSatisfiedBy ?? []).join(', ')}`
      : `contains a package under ${anyOf.join(' or ')}`;
  return `${text}${placeSuffix(place)}`;
}

const nameSchema = { type: 'string', minLength: 1, maxLength: nameLengthMax } as const;
const namesSchema = { type: 'array', minItems: 1, maxItems: namesMax, items: nameSchema } as const;

export const licenseSchema = {
  oneOf: [
    { ...nameSchema, description: 'a licence of SPDX: GPL-3.0-only' },
    {
      type: 'object',
      additionalProperties: false,
      oneOf: [{ required: ['anyOf'] }, { required: ['notSatisfiedBy'] }],
      properties: {
        anyOf: { ...namesSchema, description: 'an expression that names one of these, at whatever place' },
        notSatisfiedBy: {
          ...namesSchema,
          description: 'an expression that these licences, all that is allowed, do not meet',
        },
        in: placeSchema,
      },
    },
  ],
} as const;

function parseNames(list: Field): readonly string[] {
  const names = list.items(namesMax);
  if (names.length === 0) throw list.error('must not be empty');
  return names.map(parseName);
}

function parseName(field: Field): string {
  const text = field.text(nameLengthMax);
  const spdx = spdxOf(text);
  const expression = spdx === null ? undefined : parseExpression(spdx);
  if (spdx === null || expression === undefined)
    throw field.error(`'${text}' is not a licence of SPDX such as GPL-3.0-only`);
  if (expression.kind !== 'licence')
    throw field.error(`'${text}' is several licences; give each, or join criteria with all or any`);
  return spdx;
}

function assertParsed(name: string): never {
  throw new Error(`'${name}' is no parsed licence`);
}
