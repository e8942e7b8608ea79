import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Command } from 'commander';
import { type Client, call } from '../client/client.ts';
import { advisoryImport, advisoryStatus } from '../contract/advisories.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { LazaretError } from '../lib/errors.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { countText, timeText } from './words.ts';

type Imported = RouteAnswer<typeof advisoryImport>;

interface ImportOptions extends ServerOptions, OutputOptions {
  readonly source: string;
}

export function register(program: Command, io: CliIo): void {
  const importing = serverCommand(
    'import',
    'Import OSV documents: JSON, a JSON array or JSON lines, also gzipped; the content says which',
    'lazaret advisory import GHSA-35jh-r3h4-6jhm.json',
  )
    .argument('<file...>', 'files; - for standard input')
    .option('--source <name>', "who publishes them: one source never changes another's", 'import')
    .action((files: string[], options: ImportOptions) => importFiles(io, files, options));
  const status = serverCommand(
    'status',
    'List the sources of advisories, and when each was last loaded',
    'lazaret advisory status',
  ).action((options: ServerOptions & OutputOptions) => showStatus(io, options));
  const command = new Command('advisory').description('Load advisories, and see which are loaded');
  program.addCommand(command.addCommand(importing).addCommand(status));
}

/** An import writes while it reads, and says something only at its end. */
const importTimeoutMs = 30 * 60_000;

async function importFiles(io: CliIo, files: readonly string[], options: ImportOptions): Promise<void> {
  const client = { ...(await clientOf(io, options)), timeoutMs: importTimeoutMs };
  const imported: (Imported & { file: string })[] = [];
  for (const file of files) imported.push({ file, ...(await importFile(io, client, file, options.source)) });
  await print(io, options.output, imported, () => imported.map(importText).join('\n'));
  for (const { file, broken } of imported)
    for (const { where, error } of broken) io.note(`${file}, ${where}: ${error}`);
  if (imported.some(({ brokenCount }) => brokenCount > 0)) io.exit(3);
}

async function importFile(io: CliIo, client: Client, file: string, source: string): Promise<Imported> {
  const stream = file === '-' ? io.stdin : await fileStream(file);
  return call(client, advisoryImport, { query: { source, kind: 'auto' } }, { stream, signal: io.signal });
}

/** Opened before anything is sent. @throws invalid */
async function fileStream(file: string): Promise<Readable> {
  try {
    return (await open(file)).createReadStream();
  } catch (cause) {
    throw new LazaretError('invalid', `${file} can't be read`, { cause });
  }
}

function importText({
  file,
  changed,
  unchanged,
  withdrawn,
  brokenCount,
  findings,
  tookMs,
}: Imported & { file: string }) {
  const parts = [
    `${countText(changed, 'advisory').replace(/advisorys$/, 'advisories')} new or changed`,
    ...(withdrawn > 0 ? [`${withdrawn} of them withdrawn`] : []),
    `${unchanged} unchanged`,
    ...(brokenCount > 0 ? [`${brokenCount} broken`] : []),
    `${countText(findings.new, 'new finding')}, ${findings.ended} ended`,
  ];
  return `${file}: ${parts.join(' · ')}  ${(tookMs / 1000).toFixed(2)} s`;
}

async function showStatus(io: CliIo, options: ServerOptions & OutputOptions): Promise<void> {
  const { sources } = await call(await clientOf(io, options), advisoryStatus, {}, { signal: io.signal });
  await print(io, options.output, sources, () =>
    sources.length === 0
      ? 'none is loaded: whether an advisory applies is unknown for every image'
      : {
          columns: ['source', 'documents', 'last loaded'],
          rows: sources.map(({ source, documents, importedAt }) => [source, documents, timeText(importedAt)]),
        },
  );
}
