import { Command } from 'commander';
import { call } from '../client/client.ts';
import {
  immutabilityRuleCreate,
  immutabilityRuleDelete,
  immutabilityRuleList,
} from '../contract/immutability.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const immutability = new Command('immutability').description('Let tags name the same image for good');
  immutability.addCommand(addCommand(io));
  immutability.addCommand(
    serverCommand('ls', 'List the rules', 'lazaret immutability ls').action((options: Options) =>
      list(io, options),
    ),
  );
  immutability.addCommand(
    serverCommand('rm', 'End a rule: its tags may be moved and deleted again', 'lazaret immutability rm I-3')
      .argument('<rule>', 'its name')
      .action((name: string, options: Options) => remove(io, name, options)),
  );
  program.addCommand(immutability);
}

interface AddOptions extends Options {
  readonly except?: readonly string[];
}

function addCommand(io: CliIo): Command {
  return serverCommand(
    'add',
    'Add a rule: a tag that is set there is neither moved nor deleted any more',
    "lazaret immutability add 'acme/*' --except latest 'dev-*'",
  )
    .argument('<repositories>', 'a repository, or a glob that begins with your account: acme/*')
    .option('--except <glob...>', 'tags that may be moved and deleted all the same')
    .action((glob: string, options: AddOptions) => add(io, glob, options));
}

async function add(io: CliIo, repositoryGlob: string, options: AddOptions): Promise<void> {
  const { except } = options;
  const body = { repositoryGlob, ...(except === undefined ? {} : { exceptTags: [...except] }) };
  const client = await clientOf(io, options);
  const rule = await call(client, immutabilityRuleCreate, { body }, { signal: io.signal });
  const about = rule.exceptTags.length === 0 ? 'every tag' : `every tag but ${rule.exceptTags.join(' ')}`;
  await print(io, options.output, rule, () => `${rule.name}  ${rule.repositoryGlob}: ${about}`);
}

async function list(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { rules } = await call(client, immutabilityRuleList, {}, { signal: io.signal });
  await print(io, options.output, rules, () => ({
    columns: ['rule', 'repositories', 'except', 'since', 'by'],
    rows: rules.map((rule) => [
      rule.name,
      rule.repositoryGlob,
      rule.exceptTags.join(' '),
      timeText(rule.createdAt),
      rule.createdBy,
    ]),
  }));
}

async function remove(io: CliIo, name: string, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const rule = await call(client, immutabilityRuleDelete, { params: { name } }, { signal: io.signal });
  await print(io, options.output, rule, () => `${rule.name}  ended`);
}
