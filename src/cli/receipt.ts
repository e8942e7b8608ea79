import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { receiptShow } from '../contract/receipts.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { countText, digestText, timeText } from './words.ts';

type Receipt = RouteAnswer<typeof receiptShow>;

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand(
      'receipt',
      'What became of everything that a quarantine reached',
      'lazaret receipt Q-17 -o json > INC-42.json',
    )
      .argument('<name>', 'Q-17')
      .action(async (name: string, options: { server?: string; output: OutputFormat }) => {
        const receipt = await call(
          await clientOf(io, options),
          receiptShow,
          { params: { name } },
          { signal: io.signal },
        );
        await print(io, options.output, receipt, () => receiptText(receipt));
        if (receipt.containers.some((container) => !container.proof)) io.exit(3);
      }),
  );
}

export function receiptText(receipt: Receipt): string {
  const { quarantine } = receipt;
  const proved = receipt.containers.filter((container) => container.proof).length;
  const refused = `${countText(receipt.refused, 'request')} refused here`;
  return [
    `receipt of ${quarantine.name} · ${quarantine.reason} · issued ${timeText(receipt.issuedAt)} UTC`,
    `  decided    ${timeText(quarantine.createdAt)} by ${quarantine.author}, from ${quarantine.cause}`,
    ...receipt.regions.map(
      (region) => `  region     ${region.region} acknowledged ${timeText(region.acknowledgedAt)}`,
    ),
    ...receipt.layers.map(
      (layer) =>
        `  layer      ${digestText(layer.digest)}  ${layer.state === 'condemned' ? 'bytes gone' : layer.state}`,
    ),
    ...receipt.revocations.map(
      (one) =>
        `  revoked    ${one.name} ${timeText(one.occurredAt)}  ${one.deployment} of ${one.account}: ${one.trigger}${one.liftedAt === null ? '' : ` (lifted ${timeText(one.liftedAt)}: ${one.liftReason})`}`,
    ),
    ...receipt.containers.map(
      (container) =>
        `  container  ${container.deployment} on ${container.instance} in ${container.region}: ${outcomeText(container.outcome)}${container.stoppedAt === null ? '' : ` ${timeText(container.stoppedAt)}, exit code ${container.exitCode ?? 'unknown'}`}`,
    ),
    ...receipt.events.map(
      (event) => `  event      ${timeText(event.at)}  ${event.type} (${event.actor}, ${event.id})`,
    ),
    `${proved} of ${receipt.containers.length} containers proved stopped · ${refused}`,
  ].join('\n');
}

function outcomeText(outcome: string): string {
  return outcome === 'leaseEnded' ? 'lease ended' : outcome;
}
