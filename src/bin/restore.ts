import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliIo } from '../cli/io.ts';
import { countText, sizeText } from '../cli/words.ts';

interface RestoreOptions {
  readonly config?: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('restore')
    .description(
      'Restore this region from a backup into an empty database, while no server of it runs; exits 3 if bytes are missing',
    )
    .argument('<folder>', 'that lazaret backup wrote')
    .option('--config <file>', "the server's configuration (default: as of lazaret serve)")
    .addHelpText('after', '\nExample:\n  $ lazaret restore /srv/backup/lazaret')
    .action((folder: string, options: RestoreOptions) => run(io, resolve(folder), options));
}

async function run(io: CliIo, folder: string, options: RestoreOptions): Promise<void> {
  const { loadConfig } = await import('../server/config/config.ts');
  const { config } = await loadConfig({ environment: io.env, file: options.config });
  const { restoreFrom } = await import('../server/backup.ts');
  const done = await restoreFrom(config, folder, io.signal);
  for (const digest of done.missing) io.out(`missing   ${digest}`);
  io.out(
    `region ${done.record.region} is as of ${new Date(done.record.madeAt).toISOString()}, under epoch ${done.epoch} · ${countText(done.copiedBlobs, 'blob')} copied (${sizeText(done.copiedBytes)}) · ${countText(done.replayed, 'later decision')} replayed`,
  );
  io.note('the collector is off until a scrub has ended: start the server, then lazaret scrub --repair');
  if (done.missing.length === 0) return;
  io.note(`the bytes of ${countText(done.missing.length, 'blob')} are missing`);
  io.exit(3);
}
