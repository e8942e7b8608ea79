import { Command, Option } from 'commander';
import { call } from '../client/client.ts';
import {
  exceptionAccept,
  exceptionCreate,
  exceptionListRoute,
  exceptionShow,
  exceptionWithdraw,
} from '../contract/exceptions.ts';
import type { RouteAnswer, RouteInput } from '../contract/route.ts';
import { vexJustifications } from '../vex/openvex.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand, type Table } from './output.ts';
import { digestText, timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;
type Exception = RouteAnswer<typeof exceptionShow>;

export function register(program: Command, io: CliIo): void {
  const command = new Command('exception').description(
    'Findings that don’t count: why, says who, until when',
  );
  command.addCommand(listCommand(io));
  command.addCommand(
    serverCommand('show', 'Show what an exception says and who decided', 'lazaret exception show E-3')
      .argument('<name>')
      .action((name: string, options: Options) => show(io, name, options)),
  );
  command.addCommand(addCommand(io));
  command.addCommand(
    serverCommand('accept', 'Let a proposed exception count', 'lazaret exception accept E-3 --expires 90d')
      .argument('<name>')
      .option('--because <text>', 'why')
      .option('--expires <duration>', 'how long it counts: 90d')
      .action((name: string, options: DecideOptions) =>
        decide(io, name, { ...options, route: exceptionAccept }),
      ),
  );
  command.addCommand(
    serverCommand('withdraw', 'End an exception, or refuse a proposed one', 'lazaret exception withdraw E-3')
      .argument('<name>')
      .option('--because <text>', 'why')
      .action((name: string, options: DecideOptions) =>
        decide(io, name, { ...options, route: exceptionWithdraw }),
      ),
  );
  program.addCommand(command);
}

interface ListOptions extends Options {
  readonly proposed?: boolean;
  readonly all?: boolean;
  readonly advisory?: string;
}

function listCommand(io: CliIo): Command {
  return serverCommand('ls', 'List what counts and what is proposed', 'lazaret exception ls --proposed')
    .option('--proposed', 'only what nobody has decided about')
    .option('--all', 'also what is over')
    .option('--advisory <id>', 'of one advisory')
    .action((options: ListOptions) => list(io, options));
}

interface AddOptions extends Options {
  readonly status: 'not_affected' | 'fixed';
  readonly justification?: (typeof vexJustifications)[number];
  readonly statement?: string;
  readonly repositories?: string;
  readonly image?: string;
  readonly package?: string;
  readonly expires?: string;
}

function addCommand(io: CliIo): Command {
  return serverCommand(
    'add',
    'Say that an advisory does not concern images; it counts at once',
    "lazaret exception add CVE-2021-44228 --repositories 'acme/*' --justification component_not_present",
  )
    .argument('<advisory>', 'its id, an alias, or the name of its flaw')
    .addOption(
      new Option('--status <status>', 'what holds')
        .choices(['not_affected', 'fixed'])
        .default('not_affected'),
    )
    .addOption(new Option('--justification <why>', 'in the words of VEX').choices([...vexJustifications]))
    .option('--statement <text>', 'why, in words')
    .option('--repositories <glob>', 'of these (default: all of yours)')
    .option('--image <digest>', 'of this image, or the images of this index')
    .option('--package <purl>', 'of this package, with or without a version (default: any)')
    .option('--expires <duration>', 'how long it counts: 90d')
    .action((advisory: string, options: AddOptions) => add(io, advisory, options));
}

async function list(io: CliIo, options: ListOptions): Promise<void> {
  const client = await clientOf(io, options);
  const { proposed, all, advisory } = options;
  const asked = {
    ...(proposed ? { state: 'proposed' as const } : all ? { state: 'all' as const } : {}),
    ...(advisory === undefined ? {} : { advisory }),
  };
  const exceptions: Exception[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const query = { ...asked, limit: 1_000, ...(after ? { after } : {}) };
    const page = await call(client, exceptionListRoute, { query }, { signal: io.signal });
    exceptions.push(...page.exceptions);
    after = page.next;
  }
  await print(io, options.output, exceptions, () => table(exceptions));
}

function table(exceptions: readonly Exception[]): Table {
  return {
    columns: ['name', 'state', 'advisory', 'for', 'why', 'by', 'until'],
    rows: exceptions.map((one) => [
      one.name,
      one.state,
      one.advisory,
      placeText(one, digestText),
      one.justification ?? one.status,
      one.author,
      one.expiresAt === null ? 'ever' : timeText(one.expiresAt).slice(0, 10),
    ]),
    shorten: { for: 'start', why: 'end', by: 'start' },
  };
}

/** `pkg:npm/lodash in acme/*` */
function placeText(
  { account, repositoryGlob, imageDigest, purl }: Exception,
  digestAs = (digest: string) => digest,
): string {
  const image = imageDigest === null ? '' : `@${digestAs(imageDigest)}`;
  const repositories = repositoryGlob ?? (account === null ? 'all images' : `${account}/**`);
  const place = image !== '' && repositoryGlob === null ? image.slice(1) : `${repositories}${image}`;
  return purl === null ? place : `${purl} in ${place}`;
}

async function show(io: CliIo, name: string, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const exception = await call(client, exceptionShow, { params: { name } }, { signal: io.signal });
  await print(io, options.output, exception, () => exceptionText(exception));
}

function exceptionText(one: Exception): string {
  const { source, aliases, justification, statement, expiresAt, state } = one;
  const isOver = state === 'withdrawn' || state === 'expired';
  const called = aliases.length > 0 ? ` (${aliases.join(', ')})` : '';
  return [
    `${one.name}  ${one.state}: ${one.advisory}${called}`,
    `  for ${placeText(one)}`,
    `  ${one.status}${justification === null ? '' : `: ${justification}`}, says ${one.author}`,
    ...(statement === null ? [] : [`  ${statement}`]),
    ...(source === null ? [] : [`  ${source.document} version ${source.version}, ${source.path}`]),
    ...(source?.manifest ? [`  came as ${source.manifest}`] : []),
    ...(isOver ? [] : [`  counts until ${expiresAt === null ? 'it is withdrawn' : timeText(expiresAt)}`]),
    `  since ${timeText(one.createdAt)} by ${one.createdBy}`,
    ...(one.decidedBy === null
      ? []
      : [
          `  ${one.state} ${timeText(one.decidedAt)} by ${one.decidedBy}${
            one.decidedBecause === null ? '' : `: ${one.decidedBecause}`
          }`,
        ]),
  ].join('\n');
}

async function add(io: CliIo, advisory: string, options: AddOptions): Promise<void> {
  const { status, justification, statement, repositories, image, package: purl, expires } = options;
  const body: RouteInput<typeof exceptionCreate>['body'] = {
    advisory,
    status,
    ...(justification === undefined ? {} : { justification }),
    ...(statement === undefined ? {} : { statement }),
    ...(repositories === undefined ? {} : { repositoryGlob: repositories }),
    ...(image === undefined ? {} : { imageDigest: image }),
    ...(purl === undefined ? {} : { purl }),
    ...(expires === undefined ? {} : { expires }),
  };
  const client = await clientOf(io, options);
  const exception = await call(client, exceptionCreate, { body }, { signal: io.signal });
  await print(io, options.output, exception, () => exceptionText(exception));
}

interface DecideOptions extends Options {
  readonly because?: string;
  readonly expires?: string;
}

async function decide(
  io: CliIo,
  name: string,
  options: DecideOptions & { readonly route: typeof exceptionAccept | typeof exceptionWithdraw },
): Promise<void> {
  const { because, expires, route } = options;
  const body = {
    ...(because === undefined ? {} : { because }),
    ...(expires === undefined ? {} : { expires }),
  };
  const client = await clientOf(io, options);
  const exception = await call(client, route, { params: { name }, body }, { signal: io.signal });
  await print(io, options.output, exception, () => exceptionText(exception));
}
