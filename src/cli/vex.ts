import { Command } from 'commander';
import { call } from '../client/client.ts';
import { vexImport } from '../contract/exceptions.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { givenDocuments } from './advisory-documents.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { countText } from './words.ts';

interface ImportOptions extends ServerOptions, OutputOptions {
  readonly expires?: string;
}

export function register(program: Command, io: CliIo): void {
  const command = new Command('vex').description('Take what OpenVEX documents say as exceptions');
  command.addCommand(
    serverCommand(
      'import',
      'Import an OpenVEX document; a newer version replaces what an older one said',
      'lazaret vex import shop.openvex.json --expires 90d',
    )
      .argument('<file>', 'or an address; - for standard input')
      .option('--expires <duration>', 'how long its statements count: 90d')
      .action((file: string, options: ImportOptions) => importFile(io, file, options)),
  );
  program.addCommand(command);
}

async function importFile(io: CliIo, file: string, options: ImportOptions): Promise<void> {
  const client = await clientOf(io, options);
  const { stream } = await givenDocuments(io, file);
  const query = options.expires === undefined ? {} : { expires: options.expires };
  const imported = await call(client, vexImport, { query }, { stream, signal: io.signal });
  await print(io, options.output, imported, () => importText(imported));
  for (const { path, reason } of imported.unaddressed) io.note(`${path}: ${reason}`);
  if (imported.unaddressed.length > 0) io.exit(3);
}

function importText(imported: RouteAnswer<typeof vexImport>): string {
  const { document, version, author, added, kept, withdrawn, otherStatements, unaddressed } = imported;
  const [first, last] = [added[0], added.at(-1)];
  const names = first === undefined ? '' : first === last ? ` (${first})` : ` (${first} to ${last})`;
  return [
    `${document} version ${version} by ${author}${imported.unchanged ? ', imported before' : ''}`,
    `  ${countText(added.length, 'exception')} added${names}, ${kept} as before, ${withdrawn} withdrawn`,
    `  ${countText(otherStatements, 'statement')} affected or under investigation: no exception`,
    ...(unaddressed.length > 0
      ? [`  ${countText(unaddressed.length, 'product')} left out, since no image tells:`]
      : []),
  ].join('\n');
}
