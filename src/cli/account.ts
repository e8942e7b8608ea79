import { Command, Option } from 'commander';
import { call } from '../client/client.ts';
import { accountChange, accountCreate, accountList } from '../contract/access.ts';
import { parseBytes } from '../lib/bytes.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { sizeText, timeText } from './words.ts';

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
        columns: ['account', 'since', 'anonymous pull', 'used', 'quota'],
        rows: accounts.map((one) => [
          one.name,
          timeText(one.createdAt),
          one.anonymousPull ? 'yes' : 'no',
          sizeText(one.usedBytes),
          quotaText(one.quotaBytes),
        ]),
      }));
    }),
  );
  account.addCommand(
    serverCommand('set', 'Change an account', 'lazaret account set acme --quota 10GiB --anonymous-pull yes')
      .argument('<name>')
      .addOption(
        new Option('--anonymous-pull <answer>', 'whether everyone may pull from its repositories').choices([
          'yes',
          'no',
        ]),
      )
      .option(
        '--quota <size>',
        'how much its repositories may keep, such as 10GiB; none: as much as there is',
      )
      .action((name: string, options: SetOptions) => set(io, name, options)),
  );
  program.addCommand(account);
}

interface SetOptions extends Options {
  readonly anonymousPull?: 'yes' | 'no';
  readonly quota?: string;
}

async function set(io: CliIo, name: string, options: SetOptions): Promise<void> {
  const { anonymousPull: answer, quota } = options;
  const body = {
    ...(answer !== undefined && { anonymousPull: answer === 'yes' }),
    ...(quota !== undefined && { quotaBytes: quota === 'none' ? null : parseBytes(quota, 'quota') }),
  };
  const client = await clientOf(io, options);
  const changed = await call(client, accountChange, { params: { name }, body }, { signal: io.signal });
  const who = changed.anonymousPull ? 'everyone' : 'who has a role or a grant';
  const room =
    quota === undefined
      ? ''
      : `; ${sizeText(changed.usedBytes)} used, quota ${quotaText(changed.quotaBytes)}`;
  await print(io, options.output, changed, () => `account ${name}: ${who} may pull${room}`);
}

function quotaText(quotaBytes: number | null): string {
  return quotaBytes === null ? 'none' : sizeText(quotaBytes);
}
