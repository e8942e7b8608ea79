import { Command } from 'commander';
import { call } from '../client/client.ts';
import { roleBind, roleUnbind } from '../contract/principals.ts';
import { type BindingOptions, bindingsOf, bindingsText, withBinding } from './bindings.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { listPrincipals } from './principal-list.ts';

type Options = ServerOptions & OutputOptions;
type RoleOptions = Options & BindingOptions;

export function register(program: Command, io: CliIo): void {
  const role = new Command('role').description('What users and robots may do, per account or repository');
  role.addCommand(
    withBinding(
      serverCommand(
        'grant',
        'Give a user or robot a role',
        "lazaret role grant jo --role maintainer --account acme --repository 'acme/web/**'",
      ),
    )
      .argument('<name>', 'a user, or a robot')
      .action((name: string, options: RoleOptions) =>
        change(io, name, { route: roleBind, verb: 'is' }, options),
      ),
  );
  role.addCommand(
    withBinding(
      serverCommand('revoke', 'Take a role back', 'lazaret role revoke jo --role maintainer --account acme'),
    )
      .argument('<name>', 'a user, or a robot')
      .action((name: string, options: RoleOptions) =>
        change(io, name, { route: roleUnbind, verb: 'is no longer' }, options),
      ),
  );
  role.addCommand(
    serverCommand('ls', 'List who has which roles', 'lazaret role ls --account acme')
      .option('--account <account>', 'only users and robots of this account')
      .action((options: Options & { account?: string }) => listPrincipals(io, options, undefined)),
  );
  program.addCommand(role);
}

async function change(
  io: CliIo,
  name: string,
  { route, verb }: { route: typeof roleBind | typeof roleUnbind; verb: string },
  options: RoleOptions,
): Promise<void> {
  const client = await clientOf(io, options);
  const bindings = bindingsOf(options);
  for (const body of bindings) await call(client, route, { params: { name }, body }, { signal: io.signal });
  await print(io, options.output, bindings, () => `${name} ${verb} ${bindingsText(bindings)}`);
}
