import { describeConfig } from './config.ts';
import type { AdvisoryCriteria, Criteria, FileCriteria, PackageCriteria } from './criteria.ts';
import { describeLicense } from './license.ts';
import { placeSuffix } from './parts.ts';
import { describeSecret } from './secret.ts';

/** A clause for people, without a full stop: `a fixable advisory of severity high or worse applies`. */
export function describeCriteria(criteria: Criteria): string {
  if ('all' in criteria) return join(criteria.all, 'and');
  if ('any' in criteria) return join(criteria.any, 'or');
  if ('not' in criteria) return `not (${describeCriteria(criteria.not)})`;
  if ('package' in criteria) return describePackage(criteria.package);
  if ('advisory' in criteria) return describeAdvisory(criteria.advisory);
  if ('file' in criteria) return describeFile(criteria.file);
  if ('secret' in criteria) return describeSecret(criteria.secret);
  if ('config' in criteria) return describeConfig(criteria.config);
  return describeLicense(criteria.license);
}

function join(parts: readonly Criteria[], word: 'and' | 'or'): string {
  if (parts.length === 1) return parts.map(describeCriteria).join('');
  return parts
    .map((part) => ('all' in part || 'any' in part ? `(${describeCriteria(part)})` : describeCriteria(part)))
    .join(` ${word} `);
}

function describePackage({ purl, versions, in: place }: PackageCriteria['package']): string {
  return `contains ${purl}${versions === undefined ? '' : ` ${versions}`}${placeSuffix(place)}`;
}

function describeAdvisory({ id, severity, fixed, in: place }: AdvisoryCriteria['advisory']): string {
  const kind = { true: 'fixable ', false: 'not yet fixed ', undefined: '' }[`${fixed}`];
  const subject =
    id === undefined ? `${kind === '' ? 'an' : 'a'} ${kind}advisory` : `the ${kind}advisory ${id}`;
  const level =
    severity === undefined
      ? ''
      : severity === 'critical'
        ? ' of severity critical'
        : ` of severity ${severity} or worse`;
  return `${subject}${level} applies${placeSuffix(place)}`;
}

function describeFile({ path, sha256, setuid, in: place }: FileCriteria['file']): string {
  const kind = { true: 'a set-user-id file', false: 'a file without set-user-id', undefined: 'a file' }[
    `${setuid}`
  ];
  const name = path === undefined ? '' : ` at ${path}`;
  const hash = sha256 === undefined ? '' : ` with sha256 ${sha256.slice(0, 12)}…`;
  return `contains ${kind}${name}${hash}${placeSuffix(place)}`;
}
