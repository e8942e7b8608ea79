import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { blobExplain } from '../contract/collection.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { sizeText, timeText } from './words.ts';

type Explanation = RouteAnswer<typeof blobExplain>;

export function register(program: Command, io: CliIo): void {
  const group = program.command('debug').description('Why something is as it is');
  group.addCommand(
    serverCommand('blob', 'Why a blob lives, or what will become of it', 'lazaret debug blob sha256:…')
      .argument('<digest>')
      .action(async (digest: string, options: { server?: string; output: OutputFormat }) => {
        const answer = await call(
          await clientOf(io, options),
          blobExplain,
          { params: { digest } },
          { signal: io.signal },
        );
        await print(io, options.output, answer, () => explanationText(digest, answer));
      }),
  );
}

/** Of a base that everything is built on, the first say enough. */
const shownMax = 10;

function explanationText(digest: string, answer: Explanation): string {
  const { blob, verdict, repositories, review, history } = answer;
  const past = history.map(
    ({ what, at, actor, reason }) =>
      `  ${what === 'condemned' ? 'condemned' : 'deleted  '} ${timeText(at)} by ${actor}${reason === null ? '' : `, because ${reason}`}`,
  );
  if (blob === null)
    return [
      digest,
      `  verdict   not here${past.length === 0 ? ', and nothing is remembered of it' : ''}`,
      ...past,
    ].join('\n');
  return [
    `${blob.digest}  ${sizeText(blob.sizeBytes)}  ${blob.state}`,
    `  verdict   ${verdictText(verdict)}`,
    ...shown(blob.neededBy, (manifest) => `  needed by ${manifest.repository}@${manifest.digest}`),
    ...blob.holds.map(
      (hold) =>
        `  held by   ${hold.kind} ${hold.holder}${hold.expiresAt === null ? '' : ` until ${timeText(hold.expiresAt)}`}`,
    ),
    ...shown(repositories, ({ repository, refusal }) =>
      refusal === null
        ? `  in        ${repository}`
        : `  in        ${repository}, refused: ${refusal.quarantine} (${refusal.reason})`,
    ),
    review === null
      ? '  review    none queued'
      : `  review    at ${timeText(review.reviewAt)}, because ${review.reason}`,
    ...past,
  ].join('\n');
}

function shown<T>(items: readonly T[], line: (item: T) => string): string[] {
  const first = items.slice(0, shownMax).map(line);
  const rest = items.length - first.length;
  return rest > 0 ? [...first, `            … and ${rest.toLocaleString('en')} more`] : first;
}

function verdictText(verdict: Explanation['verdict']): string {
  switch (verdict.kind) {
    case 'needed':
      return 'a manifest needs it: it stays';
    case 'held':
      return `held${verdict.untilMs ? ` until ${timeText(verdict.untilMs)}` : ''}: it stays`;
    case 'free':
      return 'nothing needs it: it goes at its review';
    default:
      return 'its bytes are gone, or about to go';
  }
}
