import { Command, Option } from 'commander';
import { call } from '../client/client.ts';
import { sbomRuleCreate, sbomRuleDelete, sbomRuleList } from '../contract/sbom-rules.ts';
import { type SbomFormat, sbomFormats } from '../oci/sbom-formats.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const sbom = new Command('sbom').description('Keep bills of materials with images, as their referrers');
  sbom.addCommand(addCommand(io));
  sbom.addCommand(
    serverCommand('ls', 'List the rules', 'lazaret sbom ls').action((options: Options) => list(io, options)),
  );
  sbom.addCommand(
    serverCommand(
      'rm',
      'End a rule; the documents that there are stay with their images',
      'lazaret sbom rm B-3',
    )
      .argument('<rule>', 'its name')
      .action((name: string, options: Options) => remove(io, name, options)),
  );
  program.addCommand(sbom);
}

interface AddOptions extends Options {
  readonly format: readonly SbomFormat[];
}

function addCommand(io: CliIo): Command {
  return serverCommand(
    'add',
    'Add a rule: each image there gets a bill of materials when it has been inspected',
    "lazaret sbom add 'acme/*' --format cyclonedx spdx",
  )
    .argument('<repositories>', 'a repository, or a glob that begins with your account: acme/*')
    .addOption(
      new Option('--format <format...>', 'which').choices(sbomFormats).default(['cyclonedx'], 'cyclonedx'),
    )
    .action((glob: string, options: AddOptions) => add(io, glob, options));
}

async function add(io: CliIo, repositoryGlob: string, options: AddOptions): Promise<void> {
  const body = { repositoryGlob, formats: [...new Set(options.format)] };
  const client = await clientOf(io, options);
  const rule = await call(client, sbomRuleCreate, { body }, { signal: io.signal });
  const about = `${rule.name}  ${rule.repositoryGlob}: ${rule.formats.join(' ')}`;
  await print(io, options.output, rule, () => about);
}

async function list(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { rules } = await call(client, sbomRuleList, {}, { signal: io.signal });
  await print(io, options.output, rules, () => ({
    columns: ['rule', 'repositories', 'formats', 'since', 'by'],
    rows: rules.map((rule) => [
      rule.name,
      rule.repositoryGlob,
      rule.formats.join(' '),
      timeText(rule.createdAt),
      rule.createdBy,
    ]),
  }));
}

async function remove(io: CliIo, name: string, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const rule = await call(client, sbomRuleDelete, { params: { name } }, { signal: io.signal });
  await print(io, options.output, rule, () => `${rule.name}  ended`);
}
