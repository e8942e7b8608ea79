import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import type { CliIo } from './io.ts';
import { shortText } from './words.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

export interface OutputOptions {
  readonly output: OutputFormat;
}

/** Rows for people; a missing value is shown as `-`. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null | undefined)[])[];
  /**
   * Columns that are shortened, the widest first, where a line would be longer than `tableWidth`; and which end of their
   * text tells more.
   */
  readonly shorten?: Readonly<Record<string, 'start' | 'end'>>;
}

export const tableWidth = 100;
const columnWidthMin = 12;
const pathsFirst = 16;
const gap = 2;

/** A command that talks to a server: with `--server`, `--output` and an example in its help. */
export function serverCommand(
  name: string,
  summary: string,
  example: string,
  formats?: readonly string[],
): Command {
  return outputCommand(name, summary, example, formats)
    .option('--server <url>', 'the server (default: $LAZARET_SERVER or http://localhost:5000)')
    .option('--ca <file>', "whose certificates are trusted, PEM (default: $LAZARET_CA or the system's)");
}

/** A command with `--output` and an example in its help. */
export function outputCommand(
  name: string,
  summary: string,
  example: string,
  formats: readonly string[] = ['table', 'json', 'yaml'],
): Command {
  return new Command(name)
    .description(summary)
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer').choices(formats).default('table'),
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
  const widths = columnWidths(table, cells);
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => fitted(cell, widths[at] ?? 0, table.shorten?.[table.columns[at] ?? '']))
      .join(' '.repeat(gap))
      .trimEnd();
  const head = line(table.columns.map((column) => column.toUpperCase()));
  return [style('bold', head, styled), ...cells.map(line)].join('\n');
}

function columnWidths({ columns, shorten = {} }: Table, cells: readonly (readonly string[])[]): number[] {
  const widths = columns.map((column, at) =>
    cells.reduce((width, row) => Math.max(width, (row[at] ?? '').length), column.length),
  );
  const fixed = (at: number) => !Object.hasOwn(shorten, columns[at] ?? '');
  // A name tells less when it is cut than a path.
  const cut = (at: number) => (shorten[columns[at] ?? ''] === 'end' ? pathsFirst : 0) + (widths[at] ?? 0);
  let over = widths.reduce((total, width) => total + width + gap, -gap) - tableWidth;
  while (over > 0) {
    const widest = widths.reduce(
      (found, width, at) =>
        !fixed(at) && width > columnWidthMin && (found === -1 || cut(at) > cut(found)) ? at : found,
      -1,
    );
    const width = widths[widest];
    if (width === undefined) break;
    widths[widest] = width - 1;
    over -= 1;
  }
  return widths;
}

function fitted(cell: string, width: number, keep: 'start' | 'end' | undefined): string {
  if (cell.length <= width || keep === undefined) return cell.padEnd(width);
  return keep === 'start' ? shortText(cell, width) : `…${cell.slice(cell.length - width + 1)}`;
}

/** Colour for a person's terminal only; `NO_COLOR` is honoured. */
export function style(
  format: 'bold' | 'dim' | 'red' | 'green' | 'yellow',
  text: string,
  styled: boolean,
): string {
  return styled ? styleText(format, text) : text;
}
