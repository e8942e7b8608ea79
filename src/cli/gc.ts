import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { clockConfirm, gcPlan, gcRun } from '../contract/collection.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { countText, digestText, sizeText, timeText } from './words.ts';

interface GcOptions {
  readonly server?: string;
  readonly output: OutputFormat;
  readonly plan?: boolean;
  readonly confirmClock?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand('gc', 'Collect what is due now; it also runs by itself', 'lazaret gc --plan')
      .option('--plan', 'show what waits and what would become of it; change nothing')
      .option('--confirm-clock', 'say that the clock is right, after it was found to have jumped')
      .action((options: GcOptions) => {
        if (options.confirmClock) return confirmClock(io, options);
        return options.plan ? showPlan(io, options) : run(io, options);
      }),
  );
}

async function run(io: CliIo, options: GcOptions): Promise<void> {
  const done = await call(await clientOf(io, options), gcRun, {}, { signal: io.signal });
  await print(
    io,
    options.output,
    done,
    () =>
      `${countText(done.collected, 'blob')} collected, ${sizeText(done.freedBytes)} freed · ${countText(done.manifests, 'manifest')} out of service`,
  );
  if (done.paused === null) return;
  io.note(`paused: ${done.paused}`);
  io.exit(3);
}

async function confirmClock(io: CliIo, options: GcOptions): Promise<void> {
  const answer = await call(await clientOf(io, options), clockConfirm, {}, { signal: io.signal });
  await print(io, options.output, answer, () =>
    answer.doubted ? 'the clock is confirmed: the collector goes on' : 'the clock was not in doubt',
  );
}

async function showPlan(io: CliIo, options: GcOptions): Promise<void> {
  const { items } = await call(await clientOf(io, options), gcPlan, {}, { signal: io.signal });
  await print(io, options.output, items, () => ({
    columns: ['kind', 'digest', 'size', 'verdict', 'review at', 'because'],
    rows: items.map((item) => [
      item.kind,
      digestText(item.digest),
      sizeText(item.sizeBytes),
      item.verdict,
      timeText(item.reviewAt),
      item.reason,
    ]),
  }));
}
