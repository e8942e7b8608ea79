import type { Command } from 'commander';
import { callLines } from '../client/client.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { scrubRun } from '../contract/scrub.ts';
import { LazaretError } from '../lib/errors.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, serverCommand } from './output.ts';
import { countText, sizeText } from './words.ts';

interface ScrubOptions {
  readonly server?: string;
  readonly output: OutputFormat;
  readonly repair?: boolean;
  readonly verify?: boolean;
}

type Line = RouteAnswer<typeof scrubRun>;

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand(
      'scrub',
      'Compare the stored bytes with what is known of them, both ways, while all goes on; exits 2 if something stays wrong',
      'lazaret scrub --verify --repair',
    )
      .option(
        '--repair',
        'let go of orphans; copy what is damaged from another region, or let it be pushed again',
      )
      .option('--verify', 'read all bytes again and compare their digests')
      .action((options: ScrubOptions) => run(io, options)),
  );
}

async function run(io: CliIo, options: ScrubOptions): Promise<void> {
  const body = { repair: options.repair === true, verify: options.verify === true };
  const client = await clientOf(io, options);
  let end: Extract<Line, { kind: 'end' }> | undefined;
  for await (const line of callLines(client, scrubRun, { body }, { signal: io.signal })) {
    if (options.output !== 'table') io.out(JSON.stringify(line));
    else if (line.kind !== 'progress') io.out(lineText(line));
    else if (io.terminal) io.note(`${line.keys} keys, ${line.rows} blobs, ${sizeText(line.readBytes)} read`);
    if (line.kind === 'end') end = line;
  }
  if (!end) throw new LazaretError('unavailable', 'the scrub was cut off before its end');
  if (end.findings > end.repaired) io.exit(2);
}

function lineText(line: Exclude<Line, { kind: 'progress' }>): string {
  if (line.kind === 'finding')
    return `${line.problem.padEnd(10)}  ${line.outcome.padEnd(9)}  ${sizeText(line.sizeBytes).padStart(9)}  ${line.digest ?? `key ${line.storageKey}`}`;
  const parts = [
    `${countText(line.keys, 'key')} and ${countText(line.rows, 'blob')} compared`,
    ...(line.readBytes > 0 ? [`${sizeText(line.readBytes)} read`] : []),
    `${countText(line.findings, 'finding')}, ${line.repaired} repaired`,
    ...(line.young > 0 ? [`${countText(line.young, 'key')} too young to judge`] : []),
    ...(line.collectorTurnedOn ? ['the collector works again'] : []),
  ];
  return parts.join(' · ');
}
