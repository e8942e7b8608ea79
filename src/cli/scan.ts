import { type Command, Option } from 'commander';
import { type Client, call, callLines } from '../client/client.ts';
import type { Frozen, RouteInput } from '../contract/route.ts';
import { scanCompare, scanCreate, scanImages, scanLive, scanShow, scanStream } from '../contract/scans.ts';
import { hasCode, LazaretError } from '../lib/errors.ts';
import { type CliIo, clientOf, type ExitCode } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { planMade, reachAsked } from './quarantine-plan.ts';
import { type CriteriaOptions, criteriaOf, withCriteria } from './scan-criteria.ts';
import { sarifLog } from './scan-sarif.ts';
import { answerText, diffTable, type ScanAnswer } from './scan-text.ts';

interface KeptOptions {
  readonly server?: string;
  readonly output: OutputFormat | 'sarif';
}

interface ScanOptions extends Omit<KeptOptions, 'output'>, CriteriaOptions {
  readonly output: KeptOptions['output'] | 'jsonl';
  readonly all?: boolean;
  readonly repositories?: string;
  readonly account?: string;
  readonly sort?: 'severity' | 'name' | 'pushed' | 'pulled';
  readonly effect?: string;
  readonly reach?: string;
}

const formats = ['table', 'json', 'yaml', 'sarif'] as const;
/** `jsonl`: what is found, a line each, while it is found; the last line is what holds of all. */
const scanFormats = [...formats, 'jsonl'] as const;
/** Images of each verdict that a person is shown. */
const shownMax = 20;

export function register(program: Command, io: CliIo): void {
  const scan = serverCommand(
    'scan',
    'Find images by what is in them: a search of the metadata, the layers are not read',
    "lazaret scan --all --package 'pkg:npm/lodash@<4.17.21'",
    scanFormats,
  )
    .argument('[reference]', 'one image: acme/shop:1 or acme/shop@sha256:…')
    .option('--all', 'every image that you may see')
    .option('--repositories <glob>', "the images of these repositories: 'acme/**'")
    .option('--account <name>', 'the images of this account');
  withCriteria(scan)
    .addOption(
      new Option('--sort <order>', 'default: by severity, or else by name').choices([
        'severity',
        'name',
        'pushed',
        'pulled',
      ]),
    )
    .option('--effect <effect>', 'quarantine: make a plan of the answer')
    .option('--reach <reach>', 'with --effect: layer or image')
    .action((reference: string | undefined, options: ScanOptions) => run(io, reference, options));
  scan.addCommand(
    serverCommand(
      'show',
      'Read an answered scan again, with what holds now',
      'lazaret scan show S-31',
      formats,
    )
      .argument('<name>')
      .action((name: string, _: unknown, command: Command) => show(io, name, command.optsWithGlobals())),
  );
  scan.addCommand(
    serverCommand(
      'diff',
      'What is new since an earlier scan with the same question; exits 2 if more images match, or by new findings',
      'lazaret scan diff S-30 S-31',
    )
      .argument('<before>')
      .argument('<after>')
      .action((before: string, after: string, _: unknown, command: Command) =>
        diff(io, [before, after], command.optsWithGlobals()),
      ),
  );
  program.addCommand(scan);
}

async function run(io: CliIo, reference: string | undefined, options: ScanOptions): Promise<void> {
  const scope = scopeOf(reference, options);
  if (options.effect !== undefined && options.effect !== 'quarantine')
    throw new LazaretError('invalid', `--effect '${options.effect}': the effect there is is quarantine`);
  const client = await clientOf(io, options);
  const criteria = await criteriaOf(io, client, options);
  const order = options.sort ? { order: options.sort } : {};
  if (options.output === 'jsonl') {
    if (options.effect !== undefined)
      throw new LazaretError('invalid', '-o jsonl says what is found: without --effect');
    return io.exit(exitOf(await printLive(io, client, { criteria, scope, ...order })));
  }
  const { output } = options;
  const body = { criteria, scope, limit: shownMax, ...order };
  const answer = await call(client, scanCreate, { body }, { signal: io.signal });
  const planned = options.effect === 'quarantine' && (await plan(io, client, { answer, options, output }));
  if (!planned) await printAnswer(io, client, { answer, output });
  io.exit(exitOf(answer));
}

/** @returns whether there was anything to plan. What only an account's exceptions keep from matching, an operator's plan finds. */
async function plan(
  io: CliIo,
  client: Client,
  { answer, options, output }: { answer: ScanAnswer; options: ScanOptions; output: KeptOptions['output'] },
): Promise<boolean> {
  const { counts, covers } = answer;
  if (counts.match === 0 && covers.excepted.images === 0) return false;
  try {
    await planMade(io, client, {
      output: output === 'sarif' ? 'json' : output,
      body: { scan: answer.name, ...reachAsked(options.reach) },
    });
    return true;
  } catch (error) {
    if (counts.match === 0 && hasCode(error, 'conflict')) return false;
    throw error;
  }
}

/** What was found outranks what could not be told; of no image nothing is told. */
function exitOf({ counts, covers }: Pick<ScanAnswer, 'counts' | 'covers'>): ExitCode {
  if (counts.match > 0) return 2;
  return counts.unknown > 0 || covers.truncated || covers.images === 0 ? 3 : 0;
}

/** Each line as it comes. @returns the last */
async function printLive(io: CliIo, client: Client, body: Frozen<RouteInput<typeof scanLive>['body']>) {
  for await (const line of callLines(client, scanLive, { body }, { signal: io.signal })) {
    io.out(JSON.stringify(line));
    if ('answer' in line) return line.answer;
  }
  throw new LazaretError('unavailable', 'the server ended before its answer did');
}

/** People are shown the first images; programs get all. */
async function printAnswer(
  io: CliIo,
  client: Client,
  { answer, output }: { answer: ScanAnswer; output: KeptOptions['output'] },
): Promise<void> {
  if (output === 'table') {
    const unknowns = await unknownImages(io, client, answer);
    return io.out(answerText({ ...answer, images: [...matchesOf(answer), ...unknowns] }, io.terminal));
  }
  const whole = { ...answer, images: await allImages(io, client, answer), next: null };
  if (output === 'sarif') return io.out(JSON.stringify(sarifLog(whole), null, 2));
  return print(io, output, whole, () => '');
}

function matchesOf({ images }: ScanAnswer): ScanAnswer['images'] {
  return images.filter(({ verdict }) => verdict === 'match').slice(0, shownMax);
}

/** Those of the first page, or if they are further on, their first page. */
async function unknownImages(io: CliIo, client: Client, answer: ScanAnswer): Promise<ScanAnswer['images']> {
  if (answer.counts.unknown === 0) return [];
  const here = answer.images.filter(({ verdict }) => verdict === 'unknown').slice(0, shownMax);
  if (here.length > 0 || answer.next === null) return here;
  const query = { verdict: 'unknown', limit: shownMax } as const;
  const params = { name: answer.name };
  return (await call(client, scanImages, { params, query }, { signal: io.signal })).images;
}

async function allImages(io: CliIo, client: Client, answer: ScanAnswer): Promise<ScanAnswer['images']> {
  if (answer.next === null) return answer.images;
  const params = { name: answer.name };
  return Array.fromAsync(callLines(client, scanStream, { params }, { signal: io.signal }));
}

function scopeOf(reference: string | undefined, { repositories, account, all }: ScanOptions) {
  if (reference !== undefined) {
    if (!all && repositories === undefined && account === undefined) return { image: reference };
    throw new LazaretError(
      'invalid',
      `'${reference}' is one image: without --all, --repositories and --account`,
    );
  }
  if (repositories !== undefined || account !== undefined)
    return {
      ...(repositories === undefined ? {} : { repositories }),
      ...(account === undefined ? {} : { account }),
    };
  if (all) return {};
  throw new LazaretError(
    'invalid',
    'say what to scan: a reference, --repositories GLOB, --account NAME or --all',
  );
}

async function show(io: CliIo, name: string, options: KeptOptions): Promise<void> {
  const client = await clientOf(io, options);
  const answer = await call(client, scanShow, { params: { name } }, { signal: io.signal });
  await printAnswer(io, client, { answer, output: options.output });
  io.exit(exitOf(answer));
}

async function diff(io: CliIo, [before, after]: [string, string], options: KeptOptions): Promise<void> {
  const client = await clientOf(io, options);
  const input = { params: { name: after }, query: { since: before } };
  const answer = await call(client, scanCompare, input, { signal: io.signal });
  const output = options.output === 'sarif' ? 'json' : options.output;
  await print(io, output, answer, () => diffTable(answer));
  if (answer.appeared.length > 0 || answer.renewed.length > 0) io.exit(2);
  else if (answer.unknown.length > 0) io.exit(3);
}
