import type { Command } from 'commander';
import { type Client, call, callLines } from '../client/client.ts';
import { advisoryShow } from '../contract/advisories.ts';
import { imageExplain } from '../contract/explain.ts';
import { imageShow } from '../contract/images.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { hasCode } from '../lib/errors.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, serverCommand } from './output.ts';
import { exceptedText, timeText } from './words.ts';

type Explained = RouteAnswer<typeof imageExplain>;

interface ExplainOptions extends ServerOptions, OutputOptions {
  readonly platform?: string;
  readonly advisory?: string;
  readonly package?: string;
  readonly all?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program.addCommand(
    serverCommand(
      'explain',
      'Say why each finding of an image holds or not, down to the compared versions and the layer',
      'lazaret explain acme/shop:1 --advisory CVE-2021-44228',
    )
      .argument('<reference>')
      .option('--advisory <id>', 'of one advisory: its id, an alias, or the CVE')
      .option('--package <name>', 'of one package, or of what one source package became')
      .option('--all', 'also what does not hold')
      .option('--platform <platform>', 'of an index: linux/amd64')
      .action((reference: string, options: ExplainOptions) => explain(io, reference, options)),
  );
}

async function explain(io: CliIo, reference: string, options: ExplainOptions): Promise<void> {
  const client = await clientOf(io, options);
  const { platform, advisory, package: name, all = false, output } = options;
  const query = {
    reference,
    all,
    ...(platform === undefined ? {} : { platform }),
    ...(advisory === undefined ? {} : { advisory }),
    ...(name === undefined ? {} : { package: name }),
  };
  let holds = 0;
  let unknown = 0;
  let excepted = 0;
  let before = '';
  for await (const one of callLines(client, imageExplain, { query }, { signal: io.signal })) {
    if (one.verdict === 'holds') holds += 1;
    if (one.verdict === 'unknown') unknown += 1;
    if (one.verdict === 'excepted') excepted += 1;
    if (output !== 'table') io.out(JSON.stringify(one));
    else {
      const head = `${one.purl}  ${one.flaw}`;
      if (head !== before) io.out(head);
      before = head;
      for (const line of explainedText(one)) io.out(line);
    }
  }
  const missing = [
    ...(await missingKnowledge(client, { reference, platform, signal: io.signal })),
    ...(advisory === undefined || (await isTold(client, advisory, io.signal))
      ? []
      : [`no advisory ${advisory} was loaded, so nobody knows what it applies to`]),
  ];
  if (output === 'table')
    io.note(`${holds} hold, ${unknown} unknown${excepted > 0 ? `, ${excepted} excepted` : ''}`);
  for (const gap of missing) io.note(gap);
  if (holds > 0) io.exit(2);
  if (unknown > 0 || missing.length > 0) io.exit(3);
}

async function isTold(client: Client, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await call(client, advisoryShow, { query: { id } }, { signal })).advisories.length > 0;
  } catch (error) {
    if (hasCode(error, 'notFound')) return false;
    throw error;
  }
}

/** Without which nothing found is no answer. */
async function missingKnowledge(
  client: Client,
  of: { readonly reference: string; readonly platform: string | undefined; readonly signal: AbortSignal },
): Promise<string[]> {
  const { reference, platform, signal } = of;
  const show = (text: string) =>
    call(
      client,
      imageShow,
      { query: { reference: text, ...(platform === undefined ? {} : { platform }) } },
      { signal },
    );
  const named = await show(reference);
  // What was explained of an index is its one image, or that of the platform.
  const child = named.children.find((one) => one.platform !== null && one.platform !== 'unknown/unknown');
  const image = named.kind === 'index' && child ? await show(`${named.repository}@${child.digest}`) : named;
  return [
    ...(image.advisorySources === 0
      ? [
          'no advisories are loaded, so nobody knows; load some with: lazaret advisory import PLACE --source NAME',
        ]
      : []),
    ...image.advisoryGaps,
    ...(image.state === 'done'
      ? []
      : [`the image could not be read in full: ${image.reason ?? image.state ?? 'it was not inspected'}`]),
  ];
}

const words = {
  holds: 'holds',
  unknown: 'unknown',
  excepted: 'excepted',
  no: 'does not hold',
  withdrawn: 'withdrawn',
} as const;

function explainedText(one: Explained): string[] {
  const { verdict, advisory, source, severity, fixedVersion, compared, reason, layer, path, row, history } =
    one;
  const inside = {
    ...{ holds: 'is in', excepted: 'against', no: 'is not in', withdrawn: 'against', unknown: 'against' },
  }[verdict];
  const last = history.at(-1);
  return [
    `  ${words[verdict]}: ${advisory} (${source}, row ${row.id}.${row.position}), severity ${severity}${
      fixedVersion === null ? '' : `, fixed in ${fixedVersion}`
    }`,
    `    ${compared.ecosystem} ${compared.name} ${compared.version} ${inside} ${compared.affected}`,
    ...one.exceptions.map((exception) => `    ${exceptedText(exception)}`),
    ...(reason === null ? [] : [`    ${reason}`]),
    `    ${path} in ${layer ?? 'a layer that is gone'}`,
    ...(last
      ? [`    found ${timeText(last.since)}${last.until === null ? '' : `, until ${timeText(last.until)}`}`]
      : []),
  ];
}
