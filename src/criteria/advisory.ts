import type { Field } from '../lib/fields.ts';
import type { AdvisoryCriteria } from './criteria.ts';
import { parsePlace, parseTime, placeSchema, placeSuffix, timeSchema } from './parts.ts';

/** From least to worst. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;

const asks = ['id', 'severity', 'fixed', 'malicious', 'exploited', 'publishedSince'] as const;

export function parseAdvisory(body: Field): AdvisoryCriteria['advisory'] {
  body.keys([...asks, 'in']);
  const [id, severity, fixed, malicious, exploited, published] = asks.map((key) => body.optional(key));
  return {
    ...(id ? { id: parseId(id) } : {}),
    ...(severity ? { severity: severity.oneOf(severities) } : {}),
    ...(fixed ? { fixed: fixed.boolean() } : {}),
    ...(malicious ? { malicious: malicious.boolean() } : {}),
    ...(exploited ? { exploited: exploited.boolean() } : {}),
    ...(published ? { publishedSince: parseTime(published) } : {}),
    ...parsePlace(body),
  };
}

export function describeAdvisory(asked: AdvisoryCriteria['advisory']): string {
  const { id, severity, fixed, malicious, exploited, publishedSince, in: place } = asked;
  const fix = { true: 'fixable ', false: 'not yet fixed ', undefined: '' }[`${fixed}`];
  const code = { true: 'malicious-code ', false: 'no-malicious-code ', undefined: '' }[`${malicious}`];
  const attacks = { true: 'known-exploited ', false: 'not-known-exploited ', undefined: '' }[`${exploited}`];
  const kind = `${fix}${attacks}${code}`;
  const subject =
    id === undefined ? `${kind === '' ? 'an' : 'a'} ${kind}advisory` : `the ${kind}advisory ${id}`;
  const level =
    severity === undefined
      ? ''
      : severity === 'critical'
        ? ' of severity critical'
        : ` of severity ${severity} or worse`;
  const since = publishedSince === undefined ? '' : ` published since ${publishedSince}`;
  return `${subject}${level}${since} applies${placeSuffix(place)}`;
}

export const advisorySchema = {
  type: 'object',
  additionalProperties: false,
  description: 'an advisory of which all that is given is true; with nothing given any',
  properties: {
    id: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]*$',
      maxLength: 128,
      description: 'an id or an alias',
    },
    severity: { enum: severities, description: 'this severity or worse' },
    fixed: { type: 'boolean', description: 'whether a fixed version is known' },
    malicious: { type: 'boolean', description: 'whether the package itself is the harm: an advisory MAL-…' },
    exploited: {
      type: 'boolean',
      description: 'whether the catalogue of known exploited vulnerabilities (CISA KEV) has it',
    },
    publishedSince: timeSchema,
    in: placeSchema,
  },
} as const;

function parseId(field: Field): string {
  const id = field.text(128);
  if (/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(id)) return canonical(id);
  throw field.error(`'${id}' is not the id of an advisory`);
}

/** The two kinds of ids that people copy in any case have one case in advisories. */
function canonical(id: string): string {
  if (/^cve-/i.test(id)) return id.toUpperCase();
  return /^ghsa-/i.test(id) ? `GHSA-${id.slice(5).toLowerCase()}` : id;
}
