import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { call } from '../client/client.ts';
import { instanceCreate, instanceList } from '../contract/instances.ts';
import { LazaretError } from '../lib/errors.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const instance = new Command('instance').description('Machines with an agent');
  instance.addCommand(
    serverCommand(
      'add',
      'Register an instance of the server’s region, and get the secret of its agent (once)',
      'lazaret instance add host-1 --account globex --secret-file host-1.secret',
    )
      .argument('<name>', 'unique in the region')
      .requiredOption('--account <account>', 'the account that it belongs to')
      .option('--secret-file <file>', 'write the secret there, readable by you alone, instead of printing it')
      .action((name: string, options: Options & AddOptions) => add(io, name, options)),
  );
  instance.addCommand(
    serverCommand('ls', 'List the instances of your accounts', 'lazaret instance ls').action(
      (options: Options) => list(io, options),
    ),
  );
  program.addCommand(instance);
}

interface AddOptions {
  readonly account: string;
  readonly secretFile?: string;
}

async function add(io: CliIo, name: string, options: Options & AddOptions): Promise<void> {
  const client = await clientOf(io, options);
  // Before the server is asked: a secret that can't be written would be lost.
  if (options.secretFile) await writeSecret(options.secretFile, '');
  const body = { name, account: options.account };
  const { instance, secret } = await call(client, instanceCreate, { body }, { signal: io.signal });
  if (options.secretFile) await writeSecret(options.secretFile, `${secret}\n`);
  const shown = options.secretFile ? { instance } : { instance, secret };
  await print(io, options.output, shown, () =>
    [
      `${instance.name} of ${instance.account} in region ${instance.region}`,
      options.secretFile ? `secret in ${options.secretFile}` : `secret ${secret} (shown this once)`,
    ].join('\n'),
  );
}

async function writeSecret(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new LazaretError('invalid', `the secret file ${file} can't be written`, { cause });
  }
}

async function list(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { instances } = await call(client, instanceList, {}, { signal: io.signal });
  await print(io, options.output, instances, () => ({
    columns: ['region', 'name', 'account', 'runtime', 'last heard'],
    rows: instances.map((one) => [one.region, one.name, one.account, one.runtime, timeText(one.lastHeardAt)]),
  }));
}
