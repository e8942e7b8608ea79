import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { containerList } from '../contract/instances.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { shortText, timeText } from './words.ts';

interface PsOptions extends ServerOptions, OutputOptions {
  readonly all?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand('ps', 'List the containers, in every region', 'lazaret ps --all')
      .option('-a, --all', 'also those that have stopped')
      .action((options: PsOptions) => list(io, options)),
  );
}

async function list(io: CliIo, options: PsOptions): Promise<void> {
  const client = await clientOf(io, options);
  const query = options.all ? { all: true } : {};
  const { containers } = await call(client, containerList, { query }, { signal: io.signal });
  await print(io, options.output, containers, () => ({
    columns: ['container', 'deployment', 'image', 'where', 'state', 'since'],
    rows: containers.map((container) => [
      container.uid.slice(-8),
      shortText(container.deployment, 14),
      shortText(container.reference, 24),
      shortText(`${container.region}/${container.instance}`, 17),
      container.state,
      timeText(container.stoppedAt ?? container.startedAt ?? container.reportedAt),
    ]),
  }));
}
