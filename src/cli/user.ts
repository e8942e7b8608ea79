import { Command } from 'commander';
import { call } from '../client/client.ts';
import {
  principalCreate,
  principalDisable,
  principalEnable,
  principalRemove,
  principalSecret,
  roleBind,
} from '../contract/principals.ts';
import { LazaretError } from '../lib/errors.ts';
import { collect } from '../lib/streams.ts';
import { type BindingOptions, bindingsOf, bindingsText, withBinding } from './bindings.ts';
import { credentialsStore } from './credentials.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { listPrincipals } from './principal-list.ts';
import { printSecret, type SecretOptions, secretFileOption } from './secret-out.ts';

type Options = ServerOptions & OutputOptions;
type RoleOptions = Options & BindingOptions;

interface AddOptions extends ServerOptions, BindingOptions, SecretOptions {}

export function register(program: Command, io: CliIo): void {
  const user = new Command('user').description('People, and what they may do');
  user.addCommand(
    withBinding(
      serverCommand(
        'add',
        'Create a user; the password is made here',
        'lazaret user add jo --account acme --role writer',
      ),
    )
      .argument('<name>', 'what is given to docker login')
      .option(...secretFileOption)
      .action((name: string, options: AddOptions) => add(io, name, options)),
  );
  user.addCommand(
    serverCommand('ls', 'List the users with their roles', 'lazaret user ls --account acme')
      .option('--account <account>', 'only those of this account')
      .action((options: Options & { account?: string }) => listPrincipals(io, options, 'user')),
  );
  user.addCommand(
    withBinding(
      serverCommand('role', 'Give one more role', 'lazaret user role jo --account acme --role security'),
    )
      .argument('<name>')
      .action((name: string, options: RoleOptions) => give(io, name, options)),
  );
  for (const [verb, { summary, done, route }] of Object.entries(changes))
    user.addCommand(
      serverCommand(verb, summary, `lazaret user ${verb} jo`)
        .argument('<name>')
        .action(async (name: string, options: Options) => {
          await call(await clientOf(io, options), route, { params: { name } }, { signal: io.signal });
          await print(io, options.output, { name }, () => `${name} is ${done}`);
        }),
    );
  user.addCommand(
    serverCommand('renew', 'Make a new password for somebody who lost theirs', 'lazaret user renew jo')
      .argument('<name>')
      .option(...secretFileOption)
      .action((name: string, options: Options & SecretOptions) => renew(io, name, options)),
  );
  user.addCommand(
    serverCommand('password', 'Change your own password', 'lazaret user password < new-password')
      .description('Change your own password: the new one is read from standard input')
      .action((options: Options) => ownPassword(io, options)),
  );
  program.addCommand(user);
}

const changes = {
  disable: {
    summary: 'Credentials and tokens stop working at once',
    done: 'disabled',
    route: principalDisable,
  },
  enable: { summary: 'Let a disabled user in again', done: 'enabled', route: principalEnable },
  rm: {
    summary: 'Remove a user; the name may be given to somebody else',
    done: 'removed',
    route: principalRemove,
  },
} as const;

async function add(io: CliIo, name: string, options: AddOptions): Promise<void> {
  const client = await clientOf(io, options);
  const bindings = bindingsOf(options);
  const body = { name, kind: 'user' as const, account: options.account ?? null, bindings };
  const made = await call(client, principalCreate, { body }, { signal: io.signal });
  await printSecret(io, options, made, `${name} is ${bindingsText(bindings)}`);
}

async function give(io: CliIo, name: string, options: RoleOptions): Promise<void> {
  const client = await clientOf(io, options);
  const bindings = bindingsOf(options);
  for (const body of bindings)
    await call(client, roleBind, { params: { name }, body }, { signal: io.signal });
  await print(io, options.output, bindings, () => `${name} is ${bindingsText(bindings)}`);
}

async function renew(io: CliIo, name: string, options: Options & SecretOptions): Promise<void> {
  const client = await clientOf(io, options);
  const { secret, expiresAt } = await call(
    client,
    principalSecret,
    { params: { name }, body: {} },
    { signal: io.signal },
  );
  await printSecret(io, options, { name, secret: secret ?? '', expiresAt }, `${name} has a new password`);
}

const passwordBytesMax = 4096;

async function ownPassword(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { credentials } = client;
  if (credentials?.kind !== 'basic')
    throw new LazaretError('unauthorized', 'log in with your password first: a token does not change it');
  const password = (await collect(io.stdin, passwordBytesMax)).toString().trim();
  const { username: name, password: current } = credentials;
  const body = { password, current };
  await call(client, principalSecret, { params: { name }, body }, { signal: io.signal });
  const where = await credentialsStore(io, new URL(client.url).host, { username: name, password });
  await print(io, options.output, { name }, () => `your password is changed, and kept in ${where}`);
}
