import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import type { CliIo } from './io.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

export interface OutputOptions {
  readonly output: OutputFormat;
}

/** Rows for people; a missing value is shown as `-`. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null | undefined)[])[];
}

/** A command that talks to a server: with `--server`, `--output` and an example in its help. */
export function serverCommand(name: string, summary: string, example: string): Command {
  return new Command(name)
    .description(summary)
    .option('--server <url>', 'the server (default: $LAZARET_SERVER or http://localhost:5000)')
    .option('--ca <file>', "whose certificates are trusted, PEM (default: $LAZARET_CA or the system's)")
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json', 'yaml'])
        .default('table'),
    )
    .addHelpText('after', `\nExample:\n  $ ${example}`);
}

/** Prints `value` as JSON or YAML, or what `people` makes of it: a table, or lines of text. */
export async function print(
  io: CliIo,
  format: OutputFormat,
  value: unknown,
  people: () => Table | string,
): Promise<void> {
  if (format === 'json') return io.out(JSON.stringify(value, null, 2));
  if (format === 'yaml') {
    const { stringify } = await import('yaml');
    return io.out(stringify(value).trimEnd());
  }
  const shown = people();
  io.out(typeof shown === 'string' ? shown : tableText(shown, io.terminal));
}

/** Columns as wide as their widest cell, two spaces between. */
export function tableText(table: Table, styled: boolean): string {
  const cells = table.rows.map((row) =>
    row.map((cell) => (cell === null || cell === undefined ? '-' : String(cell))),
  );
  const widths = table.columns.map((column, at) =>
    Math.max(column.length, ...cells.map((row) => (row[at] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const head = line(table.columns.map((column) => column.toUpperCase()));
  return [style('bold', head, styled), ...cells.map(line)].join('\n');
}

/** Colour for a person's terminal only; `NO_COLOR` is honoured. */
export function style(
  format: 'bold' | 'dim' | 'red' | 'green' | 'yellow',
  text: string,
  styled: boolean,
): string {
  return styled ? styleText(format, text) : text;
}
