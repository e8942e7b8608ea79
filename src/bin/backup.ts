import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliIo } from '../cli/io.ts';
import { countText, sizeText } from '../cli/words.ts';

interface BackupOptions {
  readonly config?: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('backup')
    .description('Write a backup of this region into a folder, while its server goes on')
    .argument('<folder>', 'where; what is in it from the last time is not copied again')
    .option('--config <file>', "the server's configuration (default: as of lazaret serve)")
    .addHelpText('after', '\nExample:\n  $ lazaret backup /srv/backup/lazaret')
    .action((folder: string, options: BackupOptions) => run(io, resolve(folder), options));
}

async function run(io: CliIo, folder: string, options: BackupOptions): Promise<void> {
  const { loadConfig } = await import('../server/config/config.ts');
  const { config } = await loadConfig({ environment: io.env, file: options.config });
  const { backupTo } = await import('../server/backup.ts');
  const { record, copiedBlobs, copiedBytes, pruned, broken } = await backupTo(config, folder, io.signal);
  for (const { digest, problem } of broken) io.out(`${problem.padEnd(8)}  ${digest}`);
  io.out(
    `backup of ${record.region} at ${new Date(record.madeAt).toISOString()}: event ${record.head} of epoch ${record.epoch}, ${countText(record.manifests, 'manifest')}, ${countText(record.blobs, 'blob')} · ${countText(copiedBlobs, 'blob')} copied (${sizeText(copiedBytes)}), ${pruned} no longer needed`,
  );
  if (broken.length === 0) return;
  io.note(`${countText(broken.length, 'blob')} could not be backed up; see: lazaret scrub --verify`);
  io.exit(3);
}
