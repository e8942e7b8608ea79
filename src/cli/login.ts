import type { Command } from 'commander';
import { call } from '../client/client.ts';
import { whoami } from '../contract/access.ts';
import { LazaretError } from '../lib/errors.ts';
import { collect } from '../lib/streams.ts';
import { credentialsStore } from './credentials.ts';
import { type CliIo, clientOf } from './io.ts';
import { serverCommand } from './output.ts';

interface LoginOptions {
  readonly server?: string;
  readonly ca?: string;
  readonly username: string;
  readonly passwordStdin?: boolean;
}

const passwordBytesMax = 4096;

export function register(program: Command, io: CliIo): void {
  const command = serverCommand(
    'login',
    'Log in, for this tool and for docker',
    'lazaret login --username admin --password-stdin < lazaret-data/admin-password',
  )
    .argument('[server]', 'instead of --server, as docker login takes it')
    .requiredOption('-u, --username <name>', 'who logs in')
    .option(
      '--password-stdin',
      'read the password from standard input (the only way: arguments are seen by others)',
    )
    .action((server: string | undefined, options: LoginOptions) =>
      login(io, server === undefined ? options : { ...options, server }),
    );
  program.addCommand(command);
}

async function login(io: CliIo, options: LoginOptions): Promise<void> {
  if (!options.passwordStdin)
    throw new LazaretError('invalid', 'give the password on standard input, with --password-stdin');
  const password = (await collect(io.stdin, passwordBytesMax)).toString().trim();
  const { url, ca } = await clientOf(io, options);
  const credentials = { kind: 'basic', username: options.username, password } as const;
  const caller = await call({ url, ca, credentials }, whoami);
  const where = await credentialsStore(io, new URL(url).host, credentials);
  io.out(`Login Succeeded: ${caller.principal} at ${url}, kept in ${where}`);
}
