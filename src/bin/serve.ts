import { relative } from 'node:path';
import type { Command } from 'commander';
import type { CliIo } from '../cli/io.ts';
import { systemClock } from '../lib/clock.ts';

interface ServeOptions {
  readonly config?: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('serve')
    .description('Run a server; its log goes to standard output as JSON lines')
    .option('--config <file>', 'the configuration (default: $LAZARET_CONFIG, or lazaret.yaml if it is there)')
    .addHelpText('after', '\nExample:\n  $ LAZARET_DATA=/var/lib/lazaret lazaret serve')
    .action((options: ServeOptions) => serve(io, options));
}

/** Until the process is asked to end. */
async function serve(io: CliIo, options: ServeOptions): Promise<void> {
  const startedMs = systemClock.bootMs();
  const { loadConfig } = await import('../server/config/config.ts');
  const { config, warnings } = await loadConfig({ environment: io.env, file: options.config });
  const { startServer } = await import('../server/server.ts');
  const server = await startServer(config);
  for (const warning of warnings) server.context.logger.warn({ warning }, 'configuration');
  const seconds = ((systemClock.bootMs() - startedMs) / 1000).toFixed(1);
  const folder = shortPath(config.dataFolder);
  const password = config.primary === config.region ? `${folder}/admin-password` : `region ${config.primary}`;
  io.note(`ready ${seconds} s · ${server.url} · data ${folder} · password in ${password}`);
  const onHangUp = () => void server.reload();
  process.on('SIGHUP', onHangUp);
  await aborted(io.signal);
  process.off('SIGHUP', onHangUp);
  await server.close();
}

function shortPath(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path === '' || path.startsWith('..') ? folder : `./${path}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
