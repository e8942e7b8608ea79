import { Command } from 'commander';
import { call } from '../client/client.ts';
import { grantCreate, grantDelete, grantListRoute } from '../contract/grants.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const grant = new Command('grant').description('Let another account pull and run your images');
  grant.addCommand(
    serverCommand('add', 'Grant repositories to an account', 'lazaret grant add acme/shop --to globex')
      .argument('<repositories>', 'a repository, or a glob that begins with your account: acme/*')
      .requiredOption('--to <account>', 'who may pull and run them')
      .action((glob: string, options: Options & { to: string }) => set(io, 'add', { glob, options })),
  );
  grant.addCommand(
    serverCommand('ls', 'List what your accounts granted or were granted', 'lazaret grant ls').action(
      (options: Options) => list(io, options),
    ),
  );
  grant.addCommand(
    serverCommand('rm', 'Take a grant back', 'lazaret grant rm acme/shop --from globex')
      .argument('<repositories>', 'as it was granted')
      .requiredOption('--from <account>', 'whom it was granted to')
      .action((glob: string, { from, ...options }: Options & { from: string }) =>
        set(io, 'rm', { glob, options: { ...options, to: from } }),
      ),
  );
  program.addCommand(grant);
}

async function set(
  io: CliIo,
  what: 'add' | 'rm',
  { glob, options }: { glob: string; options: Options & { to: string } },
): Promise<void> {
  const client = await clientOf(io, options);
  const body = { grantee: options.to, repositoryGlob: glob };
  const route = what === 'add' ? grantCreate : grantDelete;
  const grant = await call(client, route, { body }, { signal: io.signal });
  const verb = what === 'add' ? 'may pull and run' : 'may no longer pull or run';
  await print(io, options.output, grant, () => `${grant.grantee} ${verb} ${grant.repositoryGlob}`);
}

async function list(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { grants } = await call(client, grantListRoute, {}, { signal: io.signal });
  await print(io, options.output, grants, () => ({
    columns: ['repositories', 'owner', 'granted to', 'since', 'by'],
    rows: grants.map((one) => [
      one.repositoryGlob,
      one.owner,
      one.grantee,
      timeText(one.createdAt),
      one.createdBy,
    ]),
  }));
}
