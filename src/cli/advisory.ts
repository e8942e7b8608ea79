import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { type Client, call, callBytes } from '../client/client.ts';
import { advisoryExport, advisoryImport, advisoryShow, advisoryStatus } from '../contract/advisories.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { LazaretError } from '../lib/errors.ts';
import { givenDocuments } from './advisory-documents.ts';
import { advisoryText, importText, severityTable, statusTable } from './advisory-text.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';

type Imported = RouteAnswer<typeof advisoryImport>;

interface ImportOptions extends ServerOptions, OutputOptions {
  readonly source?: string;
}

interface StatusOptions extends ServerOptions, OutputOptions {
  readonly severities?: boolean;
}

export function register(program: Command, io: CliIo): void {
  const importing = serverCommand(
    'import',
    'Import advisories (OSV), CISA KEV, EPSS or a bundle; the content says which, gzip and zstd are unpacked',
    'lazaret advisory import all.zip --source osv-npm',
  )
    .argument('<place...>', 'files (JSON, lines, zip, tar), folders, addresses; - for standard input')
    .option(
      '--source <name>',
      "who publishes them: one source never changes another's (default: import, cisa-kev or epss)",
    )
    .action((places: string[], options: ImportOptions) => importPlaces(io, places, options));
  const exporting = serverCommand(
    'export',
    'Write all that was imported as one bundle, for a site without a way out',
    'lazaret advisory export advisories.zst',
  )
    .argument('<file>', 'is written whole or not at all')
    .action((file: string, options: ServerOptions) => exportTo(io, file, options));
  const status = serverCommand(
    'status',
    'List what was loaded, when, and what of it can not be read',
    'lazaret advisory status',
  )
    .option('--severities', 'count what severities were taken from; looks through all advisories')
    .action((options: StatusOptions) => showStatus(io, options));
  const show = serverCommand(
    'show',
    'Show the advisories of an id or alias as their sources gave them',
    'lazaret advisory show CVE-2021-44228',
  )
    .argument('<id>')
    .action((id: string, options: ServerOptions & OutputOptions) => showAdvisory(io, id, options));
  const command = new Command('advisory').description('Load advisories, and see which are loaded');
  for (const each of [importing, exporting, status, show]) command.addCommand(each);
  program.addCommand(command);
}

/** An import writes while it reads, and says something only at its end. */
const importTimeoutMs = 30 * 60_000;

async function importPlaces(io: CliIo, places: readonly string[], options: ImportOptions): Promise<void> {
  const client = { ...(await clientOf(io, options)), timeoutMs: importTimeoutMs };
  const imported: (Imported & { file: string })[] = [];
  for (const place of places)
    imported.push({ file: place, ...(await importPlace(io, client, place, options.source)) });
  await print(io, options.output, imported, () => imported.map(importText).join('\n'));
  for (const { broken, brokenCount } of imported) {
    for (const { where, error } of broken) io.note(`${where}: ${error}`);
    if (brokenCount > broken.length) io.note(`and ${brokenCount - broken.length} more that can't be read`);
  }
  if (imported.some(({ brokenCount }) => brokenCount > 0)) io.exit(3);
}

async function importPlace(io: CliIo, client: Client, place: string, source?: string): Promise<Imported> {
  const { file, stream } = await givenDocuments(io, place);
  const query = { ...(source === undefined ? {} : { source }), ...(file === '' ? {} : { file }) };
  return call(client, advisoryImport, { query }, { stream, signal: io.signal });
}

async function exportTo(io: CliIo, file: string, options: ServerOptions): Promise<void> {
  const { stream } = await callBytes(await clientOf(io, options), advisoryExport, {}, { signal: io.signal });
  const part = `${file}.part`;
  try {
    await pipeline(stream, createWriteStream(part));
    await rename(part, file);
  } catch (cause) {
    await rm(part, { force: true });
    if (cause instanceof LazaretError || io.signal.aborted) throw cause;
    throw new LazaretError('unavailable', `${file} can't be written`, { cause });
  }
  io.out(`${file}: import it with: lazaret advisory import ${file}`);
}

async function showStatus(io: CliIo, options: StatusOptions): Promise<void> {
  const { severities = false, output } = options;
  const client = await clientOf(io, options);
  const status = await call(client, advisoryStatus, { query: { severities } }, { signal: io.signal });
  const { sources } = status;
  if (status.severities === null) await print(io, output, sources, () => statusTable(sources));
  else await print(io, output, status.severities, () => severityTable(status.severities ?? []));
  for (const { source, feed } of sources)
    if (feed?.error) io.note(`${source}: the last fetch failed: ${feed.error}`);
  const isIncomplete = ({ importedAt, unreadable, feed }: (typeof sources)[number]) =>
    importedAt === null || unreadable > 0 || feed?.error;
  if (sources.some(isIncomplete)) io.exit(3);
}

async function showAdvisory(io: CliIo, id: string, options: ServerOptions & OutputOptions): Promise<void> {
  const client = await clientOf(io, options);
  const shown = await call(client, advisoryShow, { query: { id } }, { signal: io.signal });
  await print(io, options.output, shown, () => advisoryText(shown));
}
