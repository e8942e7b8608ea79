import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { call } from '../client/client.ts';
import { principalCreate, principalDisable, roleBind } from '../contract/access.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';

type Options = ServerOptions & OutputOptions;

const roles = ['reader', 'writer', 'maintainer', 'security', 'admin'] as const;
type Role = (typeof roles)[number];

interface BindingOptions extends Options {
  readonly role: Role;
  readonly account?: string;
  readonly repositories?: string;
}

interface AddOptions extends BindingOptions {
  readonly robot?: boolean;
  readonly secretFile?: string;
}

export function register(program: Command, io: CliIo): void {
  const user = new Command('user').description('People and robots, and what they may do');
  user.addCommand(
    withBinding(
      serverCommand(
        'add',
        'Create a user; the password is made here',
        'lazaret user add jo --account acme --role writer',
      ),
    )
      .argument('<name>', 'what is given to docker login')
      .option('--robot', 'a program, not a person')
      .option(
        '--secret-file <file>',
        'write the password there, readable by you only, instead of showing it once',
      )
      .action((name: string, options: AddOptions) => add(io, name, options)),
  );
  user.addCommand(
    withBinding(
      serverCommand('role', 'Give one more role', 'lazaret user role jo --account acme --role security'),
    )
      .argument('<name>')
      .action(async (name: string, options: BindingOptions) => {
        const body = bindingOf(options);
        await call(await clientOf(io, options), roleBind, { params: { name }, body }, { signal: io.signal });
        await print(io, options.output, body, () => `${name} is ${bindingText(options)}`);
      }),
  );
  user.addCommand(
    serverCommand('disable', 'Credentials and tokens stop working at once', 'lazaret user disable jo')
      .argument('<name>')
      .action(async (name: string, options: Options) => {
        await call(
          await clientOf(io, options),
          principalDisable,
          { params: { name } },
          { signal: io.signal },
        );
        await print(io, options.output, { name }, () => `${name} is disabled`);
      }),
  );
  program.addCommand(user);
}

function withBinding(command: Command): Command {
  return command
    .addOption(new Option('--role <role>', 'what may be done').choices(roles).default('reader'))
    .option('--account <account>', 'whose repositories (default: every account, for operators)')
    .option('--repositories <glob>', 'only these of them');
}

async function add(io: CliIo, name: string, options: AddOptions): Promise<void> {
  const client = await clientOf(io, options);
  const kind: 'user' | 'robot' = options.robot ? 'robot' : 'user';
  const body = { name, kind, account: options.account ?? null, bindings: [bindingOf(options)] };
  const { secret } = await call(client, principalCreate, { body }, { signal: io.signal });
  const file = options.secretFile;
  if (file !== undefined) await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  const shown = file === undefined ? { name, secret } : { name, secretFile: file };
  await print(io, options.output, shown, () =>
    [
      `${name} is ${bindingText(options)}`,
      file === undefined ? `password, shown this once: ${secret}` : `password in ${file}`,
    ].join('\n'),
  );
}

function bindingOf({ role, account, repositories }: BindingOptions) {
  return { role, account: account ?? null, repositoryGlob: repositories ?? null };
}

function bindingText({ role, account, repositories }: BindingOptions): string {
  return `${role} of ${repositories ?? (account === undefined ? 'everything' : `everything of ${account}`)}`;
}
