import { describeAdvisory } from './advisory.ts';
import { describeConfig } from './config.ts';
import type { Criteria } from './criteria.ts';
import { describeFile } from './file.ts';
import { describeImage } from './image.ts';
import { describeLicense } from './license.ts';
import { describeMalware } from './malware.ts';
import { describePackage } from './package.ts';
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
  if ('malware' in criteria) return describeMalware(criteria.malware);
  if ('config' in criteria) return describeConfig(criteria.config);
  if ('license' in criteria) return describeLicense(criteria.license);
  return describeImage(criteria.image);
}

function join(parts: readonly Criteria[], word: 'and' | 'or'): string {
  if (parts.length === 1) return parts.map(describeCriteria).join('');
  return parts
    .map((part) => ('all' in part || 'any' in part ? `(${describeCriteria(part)})` : describeCriteria(part)))
    .join(` ${word} `);
}
