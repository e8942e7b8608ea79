/**
 * Measures, prints a table, and with --json writes it to a file: `npm run bench -- loop --json loop.json`. Exits 0 if
 * everything could be measured, whether or not targets hold; 1 if something could not; 2 if this machine lacks something.
 * Nothing is left behind, also after Ctrl-C.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { interruption } from '../demo/interruption.ts';
import { endAbandoned } from '../demo/leftovers.ts';
import { Missing, prepareMachine } from '../demo/preconditions.ts';
import { worldsFolder } from '../demo/world.ts';
import { removeTree } from '../src/agent/runtimes/container-folder.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { reportText, writeReport } from './report.ts';

process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === undefined) {
    console.error(usageText());
    return 1;
  }
  const { signal, exitCode } = interruption((name) => console.error(`\n${name}: ending everything …`));
  const figures: Figure[] = [];
  try {
    await run(options, figures, signal);
    return exitCode() ?? 0;
  } catch (error) {
    return exitCode() ?? failed(error);
  } finally {
    if (figures.length > 0) await tell(figures, options.json);
    if (options.tiny) console.log('\nThis was a tiny run: its figures say nothing.');
  }
}

async function run(
  { benchmark, tiny, only }: BenchArguments,
  figures: Figure[],
  signal: AbortSignal,
): Promise<void> {
  const folder = join(worldsFolder, `bench-${process.pid}`);
  await endAbandoned(worldsFolder, await prepareMachine());
  try {
    const say = (line: string) => console.error(`  ${line}`);
    for await (const figure of benchmark.measure({ folder, signal, tiny, only, say })) {
      figures.push(figure);
      say(`${figure.name}: ${figure.value} ${figure.unit}`);
    }
  } finally {
    await removeTree(folder);
  }
}

async function tell(figures: readonly Figure[], json: string | undefined): Promise<void> {
  console.log(
    `\n${reportText(figures, process.stdout.isTTY === true && process.env.NO_COLOR === undefined)}`,
  );
  if (json !== undefined) await writeReport(json, figures);
}

interface BenchArguments {
  readonly benchmark: Benchmark;
  readonly json: string | undefined;
  readonly tiny: boolean;
  readonly only: string | undefined;
}

/** @returns undefined for bad usage */
function readOptions(argv: readonly string[]): BenchArguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        json: { type: 'string' },
        tiny: { type: 'boolean', default: false },
        only: { type: 'string' },
      },
      allowPositionals: true,
    });
    const benchmark = benchmarks.find(({ name }) => name === positionals[0]);
    if (!benchmark || positionals.length > 1) return undefined;
    const { only } = values;
    if (only !== undefined && !benchmark.parts?.includes(only)) return undefined;
    // npm runs this in the project's folder; the path is meant from where it was typed.
    const { INIT_CWD: typedIn = '' } = process.env;
    const json = values.json === undefined ? undefined : resolve(typedIn, values.json);
    return { benchmark, json, tiny: values.tiny, only };
  } catch {
    return undefined;
  }
}

function usageText(): string {
  const lines = benchmarks.map(({ name, summary }) => `  npm run bench -- ${name}   ${summary}`);
  const options = [
    '  --json FILE   also write the figures to FILE',
    ...benchmarks.flatMap(({ name, parts }) =>
      parts ? [`  --only PART   of ${name}: ${parts.join(', ')}`] : [],
    ),
    '  --tiny        only see whether it works (registry); the figures say nothing',
  ];
  return `Measures, and prints a table.\n\n${lines.join('\n')}\n\n${options.join('\n')}`;
}

function failed(error: unknown): number {
  if (error instanceof Missing) {
    console.error(`lazaret: ${error.message}`);
    return 2;
  }
  console.error(error);
  return 1;
}
