import type { deploymentShow } from '../contract/deployments.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { describeEvent, parseEventCriteria } from '../criteria/event-criteria.ts';
import { formatDuration } from '../lib/duration.ts';
import { digestText, timeText } from './words.ts';

type View = RouteAnswer<typeof deploymentShow>;

/** One deployment as lines for people. */
export function deploymentText(view: View): string {
  const why = view.desiredReason === null ? '' : ` (${view.desiredReason})`;
  return [
    `${view.name}: ${view.reference} of ${view.owner}, for ${view.account}`,
    `  image      ${digestText(view.manifestDigest)}`,
    `  where      ${view.region}/${view.instance}`,
    `  should     ${view.desired === 'running' ? 'run' : 'stop'}${why}`,
    `  KILL       ${formatDuration(view.stopDeadlineMs)} after TERM`,
    ...leaseLines(view),
    ...view.eventCriteria.flatMap(criteriaLines),
    ...view.containers.map(containerLine),
    ...view.revocations.map(
      (one) =>
        `  revoked    ${one.name} ${timeText(one.occurredAt)}  ${one.trigger}${one.liftedAt === null ? '' : ` (lifted: ${one.liftReason})`}`,
    ),
  ].join('\n');
}

function leaseLines({ leaseMs, onLeaseEnd }: View): string[] {
  if (leaseMs === null) return [];
  return [`  lease      ${formatDuration(leaseMs)} without a word from home, then ${onLeaseEnd}`];
}

function criteriaLines({ source, document }: View['eventCriteria'][number]): string[] {
  const { when, response } = parseEventCriteria(document);
  const from = source === 'deployment' ? 'of the deployment' : 'came with the image';
  return when.map((event) => `  ends       ${response} when ${describeEvent(event)} (${from})`);
}

function containerLine(container: View['containers'][number]): string {
  const { uid, state, message, exitCode } = container;
  const code = exitCode === null ? '' : `, exit code ${exitCode}`;
  const at = timeText(container.stoppedAt ?? container.startedAt ?? container.reportedAt);
  return `  container  ${uid.slice(-8)} ${state} ${at}${code}${message === null ? '' : `: ${message}`}`;
}
