import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { RegistrySession } from '../client/registry-session.ts';
import { systemClock } from '../lib/clock.ts';
import { globMatcher } from '../lib/globs.ts';
import { limits } from '../lib/limits.ts';
import { parseDestination } from './import/destination.ts';
import { type OpenedSource, openSource } from './import/open-source.ts';
import { ImportProgress } from './import/progress.ts';
import { reportText } from './import/report-text.ts';
import { type ImportOrder, runImport } from './import/run-import.ts';
import { FileUploadJournal } from './import/upload-journal.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';

interface ImportOptions extends ServerOptions, OutputOptions {
  readonly jobs: number;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
  readonly repositories?: readonly string[];
  readonly tags?: readonly string[];
  readonly untagged: boolean;
  readonly srcCreds?: string;
  readonly srcTlsCa?: string;
  readonly srcPlainHttp?: boolean;
}

const jobsDefault = 4;

export function register(program: Command, io: CliIo): void {
  const command = serverCommand(
    'import',
    'Copy images from elsewhere, digests kept; what is there is skipped, so a cut import is begun again',
    'lazaret import docker://old.example:5000 --dry-run\n  $ lazaret import shop.tar acme/shop:1',
  )
    .argument(
      '<source>',
      'an OCI layout (folder or tar), a docker archive (`-`: from a pipe), docker://HOST[/REPOSITORY[:TAG]], or the data folder of a docker-registry',
    )
    .argument(
      '[dest]',
      'acme/shop[:1] for one repository, acme/ to put all below it (default: as the source names them)',
    )
    .option('--jobs <n>', 'how much to copy at once', jobsOf, jobsDefault)
    .option('--dry-run', 'look at both sides and say what would be copied')
    .option('--quiet', 'no progress')
    .option('--repositories <glob>', 'only these of the source (may be repeated)', gathered)
    .option('--tags <glob>', 'only these tags (may be repeated); what has none is then left out', gathered)
    .option('--no-untagged', 'leave out what has no tag and is needed by nothing that has')
    .option('--src-creds <user:password>', 'for the source registry (default: docker’s own credentials)')
    .option('--src-tls-ca <file>', 'trust these certificate authorities for the source registry')
    .option('--src-plain-http', 'the source registry has no TLS')
    .addHelpText(
      'after',
      '\nExit codes: 0 all of it is there, 1 something failed, 2 something was refused (a quarantine, a missing right), 3 the\nsource itself lacks something.',
    )
    .action((source: string, dest: string | undefined, options: ImportOptions) =>
      importFrom(io, { source, dest, options }),
    );
  program.addCommand(command);
}

interface Asked {
  readonly source: string;
  readonly dest: string | undefined;
  readonly options: ImportOptions;
}

async function importFrom(io: CliIo, { source: text, dest, options }: Asked): Promise<void> {
  const destination = parseDestination(dest);
  const client = await clientOf(io, options);
  const access = { creds: options.srcCreds, tlsCa: options.srcTlsCa, plainHttp: options.srcPlainHttp };
  const opened = await openSource(text, { io, clock: systemClock, access });
  const journal = new FileUploadJournal(journalFolder(io), systemClock);
  await journal.sweep();
  const progress = new ImportProgress({ io, clock: systemClock, quiet: options.quiet === true });
  try {
    const { report, exit } = await runImport({
      source: opened.source,
      destination,
      session: new RegistrySession({ ...client, clock: systemClock }),
      journal,
      clock: systemClock,
      signal: io.signal,
      jobs: options.jobs,
      dryRun: options.dryRun === true,
      ...selectionOf(opened, options),
      progress,
    });
    await print(io, options.output, report, () => reportText(report, io.terminal));
    io.exit(exit);
  } catch (error) {
    if (io.signal.aborted) io.note('cut off; the same command goes on from here');
    throw error;
  } finally {
    progress.end();
    await opened.source.close();
  }
}

function selectionOf(
  { chosen }: OpenedSource,
  options: ImportOptions,
): Pick<ImportOrder, 'repositories' | 'tags' | 'untagged' | 'selective'> {
  const repositories = chosen.repository === undefined ? (options.repositories ?? []) : [chosen.repository];
  const tags = chosen.tag === undefined ? (options.tags ?? []) : [chosen.tag];
  return {
    repositories: anyOf(repositories),
    tags: anyOf(tags),
    untagged: options.untagged && tags.length === 0,
    selective: tags.length + repositories.length > 0,
  };
}

function anyOf(globs: readonly string[]): (text: string) => boolean {
  const matchers = globs.map(globMatcher);
  return (text) => matchers.length === 0 || matchers.some((matches) => matches(text));
}

/** Where programs keep what they would miss little (XDG Base Directory Specification). */
function journalFolder({ env, homeFolder }: CliIo): string {
  return join(env.XDG_STATE_HOME ?? join(homeFolder, '.local', 'state'), 'lazaret', 'import');
}

function jobsOf(text: string): number {
  const jobs = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= limits.importJobsMax) return jobs;
  throw new InvalidArgumentError(`from 1 to ${limits.importJobsMax}`);
}

function gathered(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
