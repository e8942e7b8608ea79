import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { quarantineHoldRoute, quarantineRetention } from '../contract/quarantines.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { planText } from './quarantine-plan.ts';
import { timeText } from './words.ts';

/** The commands about how long the bytes are kept. */
interface CommonOptions {
  readonly server?: string;
  readonly output: OutputFormat;
}

interface HoldOptions extends CommonOptions {
  readonly reason: string;
}

export function holdCommand(io: CliIo): Command {
  return serverCommand(
    'hold',
    'Set a legal hold: the bytes stay whatever the retention says, and destroy is refused',
    "lazaret quarantine hold Q-17 --reason 'case 4711'",
  )
    .argument('<name>', 'Q-17')
    .requiredOption('--reason <text>', 'why')
    .action((name: string, options: HoldOptions) => setHold(io, { name, hold: true, options }));
}

export function unholdCommand(io: CliIo): Command {
  return serverCommand(
    'unhold',
    'Lift a legal hold: the retention counts again',
    "lazaret quarantine unhold Q-17 --reason 'case closed'",
  )
    .argument('<name>', 'Q-17')
    .requiredOption('--reason <text>', 'why')
    .action((name: string, options: HoldOptions) => setHold(io, { name, hold: false, options }));
}

export function retentionCommand(io: CliIo): Command {
  return serverCommand(
    'retention',
    'Plan to keep the bytes for so long from now, longer or shorter than before',
    'lazaret quarantine retention Q-17 180d',
  )
    .argument('<name>', 'Q-17')
    .argument('<time>', '180d')
    .action(async (name: string, retention: string, options: CommonOptions) => {
      const client = await clientOf(io, options);
      const input = { params: { name }, body: { retention } };
      const plan = await call(client, quarantineRetention, input, { signal: io.signal });
      await print(io, options.output, plan, () => planText(plan));
    });
}

async function setHold(
  io: CliIo,
  { name, hold, options }: { name: string; hold: boolean; options: HoldOptions },
): Promise<void> {
  const client = await clientOf(io, options);
  const input = { params: { name }, body: { hold, reason: options.reason } };
  const quarantine = await call(client, quarantineHoldRoute, input, { signal: io.signal });
  await print(io, options.output, quarantine, () =>
    hold
      ? `${name}  under legal hold: its bytes stay until it is lifted`
      : `${name}  under no legal hold: its bytes are kept until ${timeText(quarantine.retainUntil)}`,
  );
}
