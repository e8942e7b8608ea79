import type { quarantineShow } from '../contract/quarantines.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { describeCriteria } from '../criteria/describe.ts';
import { parseCriteria } from '../criteria/parse.ts';

type Quarantine = RouteAnswer<typeof quarantineShow>['quarantine'];
type Mark = Quarantine['marks'][number];

const evidenceShown = 3;

/** The question and its scan, or who named the marks; then each mark with what was found there. */
export function becauseLines({ cause, criteria, marks }: Quarantine): string[] {
  const why =
    criteria === null ? `named by ${cause}` : `${describeCriteria(parseCriteria(criteria))} (${cause})`;
  return [`  because    ${why}`, ...marks.map((mark) => `  marks      ${markText(mark)}`)];
}

function markText({ target, digest, diffId, repositoryGlob, evidence }: Mark): string {
  const found = evidence
    .slice(0, evidenceShown)
    .map((one) => one.advisory ?? one.purl ?? one.path ?? 'found');
  const more = evidence.length > evidenceShown ? ` and ${evidence.length - evidenceShown} more` : '';
  const named = `${target} ${digest ?? repositoryGlob ?? diffId}`;
  return found.length === 0 ? named : `${named}  ${[...new Set(found)].join(', ')}${more}`;
}
