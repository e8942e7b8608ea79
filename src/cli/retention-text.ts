import type { retentionPlanShow, retentionRuleCreate } from '../contract/retention.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { formatDuration } from '../lib/duration.ts';
import { assertNever } from '../lib/errors.ts';
import { digestText } from './words.ts';

type Rule = RouteAnswer<typeof retentionRuleCreate>;
type Item = RouteAnswer<typeof retentionPlanShow>['items'][number];

/** `of pr-*: keep the latest 3, pulled within 30d; untagged go after 7d` */
export function termsText(rule: Rule): string {
  const keeps = [
    ...(rule.keepLatest === null ? [] : [`the latest ${rule.keepLatest}`]),
    ...(rule.keepTags.length === 0 ? [] : [`tags ${rule.keepTags.join(' ')}`]),
    ...(rule.keepPushedMs === null ? [] : [`pushed within ${formatDuration(rule.keepPushedMs)}`]),
    ...(rule.keepPulledMs === null ? [] : [`pulled within ${formatDuration(rule.keepPulledMs)}`]),
  ];
  const about = rule.tags.length === 0 ? '' : `of ${rule.tags.join(' ')}: `;
  const parts = [
    ...(keeps.length === 0 ? [] : [`${about}keep ${keeps.join(', ')}`]),
    ...(rule.untaggedMs === null ? [] : [`untagged go after ${formatDuration(rule.untaggedMs)}`]),
  ];
  return parts.join('; ');
}

/** Why something stays, or goes, for a person. */
export function reasonText({ reason, rule, by }: Item): string {
  const other = by?.startsWith('sha') ? digestText(by) : by;
  switch (reason) {
    case 'noRule':
      return 'no rule is about it';
    case 'quarantined':
      return `quarantined (${other})`;
    case 'held':
      return `held by ${other}`;
    case 'restored':
      return 'it was brought back from the trash';
    case 'keepTags':
      return `${rule} always keeps this tag`;
    case 'keepLatest':
      return `${rule}: one of the latest`;
    case 'keepPushed':
      return `${rule}: pushed lately`;
    case 'keepPulled':
      return `${rule}: pulled lately`;
    case 'notKept':
      return `${rule}, and no rule keeps it`;
    case 'childOfIndex':
      return `the index ${other} names it`;
    case 'referrer':
      return `it refers to ${other}, which stays`;
    case 'untaggedNotYet':
      return `${rule}: not untagged for long enough`;
    case 'untaggedTooLong':
      return `${rule}: untagged for too long`;
    case 'withSubject':
      return `it refers to ${other}, which goes`;
    default:
      return assertNever(reason);
  }
}
