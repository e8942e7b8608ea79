import { Command } from 'commander';
import { call } from '../client/client.ts';
import {
  retentionPlanShow,
  retentionRuleCreate,
  retentionRuleDelete,
  retentionRuleList,
} from '../contract/retention.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { reasonText, termsText } from './retention-text.ts';
import { countText, digestText, timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const retention = new Command('retention').description('Let old tags and untagged images go by themselves');
  retention.addCommand(addCommand(io));
  retention.addCommand(
    serverCommand('ls', 'List the rules', 'lazaret retention ls').action((options: Options) =>
      list(io, options),
    ),
  );
  retention.addCommand(
    serverCommand(
      'rm',
      'End a rule; what it took can be brought back from the trash',
      'lazaret retention rm R-3',
    )
      .argument('<rule>', 'its name')
      .action((name: string, options: Options) => remove(io, name, options)),
  );
  retention.addCommand(
    serverCommand(
      'plan',
      'What the rules would take away now, and why the rest stays; changes nothing',
      "lazaret retention plan --repositories 'acme/*'",
    )
      .option('--repositories <glob>', 'only these')
      .action((options: PlanOptions) => plan(io, options)),
  );
  program.addCommand(retention);
}

interface AddOptions extends Options {
  readonly tags?: readonly string[];
  readonly keepTags?: readonly string[];
  readonly keepLatest?: string;
  readonly keepPushed?: string;
  readonly keepPulled?: string;
  readonly untagged?: string;
}

function addCommand(io: CliIo): Command {
  return serverCommand(
    'add',
    'Add a rule: a tag that it is about goes unless this or another rule keeps it',
    "lazaret retention add 'acme/*' --keep-latest 10 --keep-tags 'v*' --keep-pulled 30d --untagged 7d",
  )
    .argument('<repositories>', 'a repository, or a glob that begins with your account: acme/*')
    .option('--tags <glob...>', 'the tags that it is about (default: all)')
    .option('--keep-tags <glob...>', 'tags that always stay')
    .option('--keep-latest <n>', 'keep the n tags that were set last')
    .option('--keep-pushed <duration>', 'keep tags that were set within it: 30d')
    .option('--keep-pulled <duration>', 'keep what was pulled within it: 30d')
    .option('--untagged <duration>', 'let images go that have had no tag so long: 7d')
    .action((glob: string, options: AddOptions) => add(io, glob, options));
}

async function add(io: CliIo, repositoryGlob: string, options: AddOptions): Promise<void> {
  const { tags, keepTags, keepLatest, keepPushed, keepPulled, untagged } = options;
  const body = {
    repositoryGlob,
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(keepTags === undefined ? {} : { keepTags: [...keepTags] }),
    ...(keepLatest === undefined ? {} : { keepLatest: Number(keepLatest) }),
    ...(keepPushed === undefined ? {} : { keepPushed }),
    ...(keepPulled === undefined ? {} : { keepPulled }),
    ...(untagged === undefined ? {} : { untagged }),
  };
  const client = await clientOf(io, options);
  const rule = await call(client, retentionRuleCreate, { body }, { signal: io.signal });
  await print(
    io,
    options.output,
    rule,
    () => `${rule.name}  ${rule.repositoryGlob}: ${termsText(rule)}\n${nextText(rule)}`,
  );
}

function nextText(rule: RouteAnswer<typeof retentionRuleCreate>): string {
  const plan = `see what would go: lazaret retention plan --repositories '${rule.repositoryGlob}'`;
  return rule.untaggedMs === null ? `${plan}\nuntagged images stay; let them go with --untagged` : plan;
}

async function list(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { rules } = await call(client, retentionRuleList, {}, { signal: io.signal });
  await print(io, options.output, rules, () => ({
    columns: ['rule', 'repositories', 'what it says', 'since', 'by'],
    rows: rules.map((rule) => [
      rule.name,
      rule.repositoryGlob,
      termsText(rule),
      timeText(rule.createdAt),
      rule.createdBy,
    ]),
  }));
}

async function remove(io: CliIo, name: string, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const rule = await call(client, retentionRuleDelete, { params: { name } }, { signal: io.signal });
  await print(io, options.output, rule, () => `${rule.name}  ended`);
}

interface PlanOptions extends Options {
  readonly repositories?: string;
}

async function plan(io: CliIo, options: PlanOptions): Promise<void> {
  const query = options.repositories === undefined ? {} : { repositories: options.repositories };
  const client = await clientOf(io, options);
  const planned = await call(client, retentionPlanShow, { query }, { signal: io.signal });
  await print(io, options.output, planned, () => ({
    columns: ['repository', 'reference', 'digest', 'verdict', 'because'],
    rows: planned.items.map((item) => [
      item.repository,
      item.tag === null ? '(untagged)' : `:${item.tag}`,
      digestText(item.digest),
      item.verdict,
      reasonText(item),
    ]),
  }));
  io.note(`${countText(planned.goes, 'reference')} would go, ${planned.stays.toLocaleString('en')} stay`);
  if (planned.complete) return;
  io.note(
    `only the first ${planned.items.length.toLocaleString('en')} are listed; narrow it with --repositories`,
  );
  io.exit(3);
}
