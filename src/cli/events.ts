import type { Command } from 'commander';
import { callLines } from '../client/client.ts';
import { eventList } from '../contract/events.ts';
import { type CliIo, clientOf } from './io.ts';
import { serverCommand } from './output.ts';

interface EventOptions {
  readonly server?: string;
  readonly output: string;
  readonly after?: string;
  readonly follow?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand('events', 'The log of what happened, oldest first', 'lazaret events --follow')
      .option('--after <position>', 'only what came after this position')
      .option('-f, --follow', 'go on with what happens from now')
      .action((options: EventOptions) => run(io, options)),
  );
}

async function run(io: CliIo, options: EventOptions): Promise<void> {
  const after = options.after === undefined ? {} : { after: Number(options.after) };
  const query = { ...after, ...(options.follow ? { follow: true } : { limit: 10_000 }) };
  const client = await clientOf(io, options);
  for await (const event of callLines(client, eventList, { query }, { signal: io.signal })) {
    if (options.output === 'json') io.out(JSON.stringify(event));
    else
      io.out(
        `${new Date(event.at).toISOString().slice(11, 23)}  ${String(event.position).padStart(6)}  ${shortType(event.type).padEnd(24)}  ${event.subject}  (${event.actor}, ${event.origin})`,
      );
  }
}

function shortType(type: string): string {
  return type.replace(/^io\.lazaret\./, '').replace(/\.v\d+$/, '');
}
