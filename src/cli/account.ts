import { Command } from 'commander';
import { call } from '../client/client.ts';
import { accountCreate, accountList } from '../contract/access.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const account = new Command('account').description('Customers: who owns repositories and instances');
  account.addCommand(
    serverCommand(
      'add',
      'Create an account; its repositories begin with its name',
      'lazaret account add acme',
    )
      .argument('<name>')
      .action(async (name: string, options: Options) => {
        const made = await call(
          await clientOf(io, options),
          accountCreate,
          { body: { name } },
          { signal: io.signal },
        );
        await print(
          io,
          options.output,
          made,
          () => `account ${made.name} owns what is pushed as ${made.name}/…`,
        );
      }),
  );
  account.addCommand(
    serverCommand('ls', 'List the accounts', 'lazaret account ls').action(async (options: Options) => {
      const { accounts } = await call(await clientOf(io, options), accountList, {}, { signal: io.signal });
      await print(io, options.output, accounts, () => ({
        columns: ['account', 'since'],
        rows: accounts.map((one) => [one.name, timeText(one.createdAt)]),
      }));
    }),
  );
  program.addCommand(account);
}
