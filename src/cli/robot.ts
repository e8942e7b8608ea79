import { Command } from 'commander';
import { call } from '../client/client.ts';
import {
  principalCreate,
  principalDisable,
  principalEnable,
  principalRemove,
  principalSecret,
} from '../contract/principals.ts';
import { type BindingOptions, bindingsOf, bindingsText, withRole } from './bindings.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { listPrincipals } from './principal-list.ts';
import { printSecret, type SecretOptions, secretFileOption } from './secret-out.ts';
import { timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

interface CreateOptions extends ServerOptions, BindingOptions, SecretOptions {
  readonly expires?: string;
}

const expiresOption = ['--expires <duration>', 'how long the secret is good, such as 90d; never'] as const;

export function register(program: Command, io: CliIo): void {
  const robot = new Command('robot').description('Programs of an account, such as CI, and what they may do');
  robot.addCommand(
    withRole(
      serverCommand(
        'create',
        'Create a robot, ACCOUNT+NAME; its secret is made here',
        "lazaret robot create acme ci --repository 'acme/**' --role writer --expires 90d",
      ),
    )
      .argument('<account>', 'whose robot it is, and whose repositories it uses')
      .argument('<name>', 'acme and ci make acme+ci, which is given to docker login')
      .option(...expiresOption)
      .option(...secretFileOption)
      .action((account: string, name: string, options: CreateOptions) =>
        create(io, { account, name }, options),
      ),
  );
  robot.addCommand(
    serverCommand('ls', 'List the robots with their roles', 'lazaret robot ls --account acme')
      .option('--account <account>', 'only those of this account')
      .action((options: Options & { account?: string }) => listPrincipals(io, options, 'robot')),
  );
  robot.addCommand(
    serverCommand('renew', 'Make a new secret; the old one stops working', 'lazaret robot renew acme+ci')
      .argument('<name>')
      .option(...expiresOption)
      .option(...secretFileOption)
      .action((name: string, options: Options & SecretOptions & { expires?: string }) =>
        renew(io, name, options),
      ),
  );
  for (const [verb, { summary, done, route }] of Object.entries(changes))
    robot.addCommand(
      serverCommand(verb, summary, `lazaret robot ${verb} acme+ci`)
        .argument('<name>')
        .action(async (name: string, options: Options) => {
          await call(await clientOf(io, options), route, { params: { name } }, { signal: io.signal });
          await print(io, options.output, { name }, () => `${name} is ${done}`);
        }),
    );
  program.addCommand(robot);
}

const changes = {
  disable: {
    summary: 'Its secret and tokens stop working at once',
    done: 'disabled',
    route: principalDisable,
  },
  enable: { summary: 'Let a disabled robot in again', done: 'enabled', route: principalEnable },
  rm: { summary: 'Remove a robot', done: 'removed', route: principalRemove },
} as const;

async function create(
  io: CliIo,
  { account, name }: { account: string; name: string },
  options: CreateOptions,
): Promise<void> {
  const bindings = bindingsOf({ ...options, account });
  const expires = options.expires === undefined ? {} : { expires: options.expires };
  const body = { name: `${account}+${name}`, kind: 'robot' as const, account, bindings, ...expires };
  const made = await call(await clientOf(io, options), principalCreate, { body }, { signal: io.signal });
  const until = made.expiresAt === null ? '' : `, until ${timeText(made.expiresAt)} UTC`;
  await printSecret(io, options, made, `${made.name} is ${bindingsText(bindings)}${until}`);
}

async function renew(
  io: CliIo,
  name: string,
  options: Options & SecretOptions & { expires?: string },
): Promise<void> {
  const client = await clientOf(io, options);
  const body = options.expires === undefined ? {} : { expires: options.expires };
  const { secret, expiresAt } = await call(
    client,
    principalSecret,
    { params: { name }, body },
    { signal: io.signal },
  );
  const until = expiresAt === null ? '' : `, until ${timeText(expiresAt)} UTC`;
  await printSecret(
    io,
    options,
    { name, secret: secret ?? '', expiresAt },
    `${name} has a new secret${until}`,
  );
}
