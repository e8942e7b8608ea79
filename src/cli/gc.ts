import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { clockConfirm, gcPlan, gcRun } from '../contract/collection.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand, tableText } from './output.ts';
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

/** Pass after pass, until one finds nothing to do. */
async function run(io: CliIo, options: GcOptions): Promise<void> {
  const client = await clientOf(io, options);
  let done = await call(client, gcRun, {}, { signal: io.signal });
  for (let last = done; last.collected + last.condemned + last.manifests > 0; ) {
    last = await call(client, gcRun, {}, { signal: io.signal });
    done = {
      manifests: done.manifests + last.manifests,
      condemned: done.condemned + last.condemned,
      collected: done.collected + last.collected,
      freedBytes: done.freedBytes + last.freedBytes,
      paused: last.paused,
    };
  }
  await print(
    io,
    options.output,
    done,
    () =>
      `${countText(done.collected, 'blob')} collected, ${sizeText(done.freedBytes)} freed · ${countText(done.manifests, 'manifest')} out of service`,
  );
  tellPaused(io, done.paused);
}

function tellPaused(io: CliIo, paused: string | null): void {
  if (paused === null) return;
  io.note(`paused: ${paused}`);
  io.exit(3);
}

async function confirmClock(io: CliIo, options: GcOptions): Promise<void> {
  const answer = await call(await clientOf(io, options), clockConfirm, {}, { signal: io.signal });
  await print(io, options.output, answer, () =>
    answer.doubted ? 'the clock is confirmed: the collector goes on' : 'the clock was not in doubt',
  );
}

type Plan = RouteAnswer<typeof gcPlan>;

async function showPlan(io: CliIo, options: GcOptions): Promise<void> {
  const plan = await call(await clientOf(io, options), gcPlan, {}, { signal: io.signal });
  await print(io, options.output, plan, () => planText(plan, io.terminal));
  tellPaused(io, plan.paused);
}

function planText(plan: Plan, styled: boolean): string {
  const rows = plan.items.map((item) => [
    item.kind,
    digestText(item.digest),
    item.kind === 'blob' ? sizeText(item.sizeBytes) : null,
    fateText(item, plan.at),
    item.reason,
  ]);
  const table = { columns: ['kind', 'digest', 'size', 'what becomes of it', 'looked at because'], rows };
  return [
    ...(rows.length > 0 ? [tableText(table, styled), ''] : []),
    ...plan.expired.map(
      ({ digest, quarantine }) => `layer ${digestText(digest)}: the retention of ${quarantine} has ended`,
    ),
    summaryText(plan),
  ].join('\n');
}

function fateText(item: Plan['items'][number], nowMs: number): string {
  switch (item.verdict) {
    case 'needed':
    case 'held':
      return `stays${item.keptUntil === null ? '' : ` until ${timeText(item.keptUntil)}`}: ${item.keptBy}`;
    case 'free':
      return item.reviewAt <= nowMs ? 'goes now' : `goes ${timeText(item.reviewAt)}`;
    default:
      return 'has gone';
  }
}

function summaryText(plan: Plan): string {
  const free = plan.items.filter((item) => item.verdict === 'free' && item.kind === 'blob');
  const due = free.filter((item) => item.reviewAt <= plan.at);
  const totalText = (items: Plan['items']) =>
    `${countText(items.length, 'blob')} (${sizeText(items.reduce((sum, item) => sum + item.sizeBytes, 0))})`;
  const parts = [
    `${totalText(due)} would go now`,
    `${totalText(free.filter((item) => !due.includes(item)))} later`,
  ];
  const { count, sizeBytes } = plan.condemned;
  if (count > 0) parts.push(`${countText(count, 'deletion')} (${sizeText(sizeBytes)}) under way`);
  if (plan.more) parts.push('more waits than is listed');
  return parts.join(' · ');
}
