import { Command } from 'commander';
import type { CliIo } from '../cli/io.ts';

interface ResetOptions {
  readonly config?: string;
}

export function register(program: Command, io: CliIo): void {
  const admin = new Command('admin').description('For whoever holds the data folder');
  admin
    .command('reset')
    .description(
      "Renew the administrator's password, in the data folder itself, whether or not the server runs; old ones stop working",
    )
    .option('--config <file>', "the server's configuration (default: as of lazaret serve)")
    .addHelpText('after', '\nExample:\n  $ LAZARET_DATA=/var/lib/lazaret lazaret admin reset')
    .action((options: ResetOptions) => reset(io, options));
  program.addCommand(admin);
}

async function reset(io: CliIo, options: ResetOptions): Promise<void> {
  const { loadConfig } = await import('../server/config/config.ts');
  const { config } = await loadConfig({ environment: io.env, file: options.config });
  const { resetAdmin } = await import('../server/admin.ts');
  io.out(`the new password of admin is in ${await resetAdmin(config)}`);
}
