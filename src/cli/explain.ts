import type { Command } from 'commander';
import { call, callLines } from '../client/client.ts';
import { imageExplain } from '../contract/explain.ts';
import { imageShow } from '../contract/images.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, serverCommand } from './output.ts';
import { timeText } from './words.ts';

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
      .option('--advisory <id>', 'of one advisory or flaw')
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
  let before = '';
  for await (const one of callLines(client, imageExplain, { query }, { signal: io.signal })) {
    if (one.verdict === 'holds') holds += 1;
    if (one.verdict === 'unknown') unknown += 1;
    if (output !== 'table') io.out(JSON.stringify(one));
    else {
      const head = `${one.purl}  ${one.flaw}`;
      if (head !== before) io.out(head);
      before = head;
      for (const line of explainedText(one)) io.out(line);
    }
  }
  const { state, reason } = await call(client, imageShow, { query: { reference } }, { signal: io.signal });
  void reason;
  if (output === 'table')
    io.note(`${holds} hold, ${unknown} unknown${state === 'done' ? '' : `; the image is ${state}`}`);
  if (holds > 0) io.exit(2);
  if (unknown > 0 || state !== 'done') io.exit(3);
}

const words = { holds: 'holds', unknown: 'unknown', no: 'does not hold', withdrawn: 'withdrawn' } as const;

function explainedText(one: Explained): string[] {
  const { verdict, advisory, source, severity, fixedVersion, compared, reason, layer, path, row, history } =
    one;
  const inside = { holds: 'is in', no: 'is not in', withdrawn: 'against', unknown: 'against' }[verdict];
  const last = history.at(-1);
  return [
    `  ${words[verdict]}: ${advisory} (${source}, row ${row.id}.${row.position}), severity ${severity}${
      fixedVersion === null ? '' : `, fixed in ${fixedVersion}`
    }`,
    `    ${compared.ecosystem} ${compared.name} ${compared.version} ${inside} ${compared.affected}`,
    ...(reason === null ? [] : [`    ${reason}`]),
    `    ${path} in ${layer ?? 'a layer that is gone'}`,
    ...(last
      ? [`    found ${timeText(last.since)}${last.until === null ? '' : `, until ${timeText(last.until)}`}`]
      : []),
  ];
}
