import { writeFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import type { Figure } from './benchmark.ts';

const noteIndent = '    ';
const noteWidth = 104;

/** A line per figure with its note below. */
export function reportText(figures: readonly Figure[], styled: boolean): string {
  const paint = (format: 'bold' | 'dim' | 'green' | 'red', text: string) =>
    styled ? styleText(format, text, { validateStream: false }) : text;
  const rows = figures.map((each) => ({
    name: each.name,
    value: `${each.value.toLocaleString('en')} ${each.unit}`,
    target:
      each.target === null
        ? '–'
        : `${each.atLeast ? '≥' : '≤'} ${each.target.toLocaleString('en')} ${each.unit}`,
    verdict: verdictText(each),
    note: each.note,
  }));
  const width = (column: 'name' | 'value' | 'target') =>
    Math.max(column.length, ...rows.map((row) => row[column].length));
  const line = (row: { name: string; value: string; target: string }) =>
    `${row.name.padEnd(width('name'))}  ${row.value.padStart(width('value'))}  ${row.target.padStart(width('target'))}`;
  const head = paint('bold', `${line({ name: 'figure', value: 'value', target: 'target' })}  holds`);
  const body = rows.map((row) => {
    const verdict = row.verdict === 'no' ? paint('red', row.verdict) : paint('green', row.verdict);
    return `${line(row)}  ${verdict}\n${paint('dim', wrapped(row.note))}`;
  });
  return [head, ...body].join('\n');
}

/** An array of `{name, value, unit, target, holds, note}`. */
export async function writeReport(file: string, figures: readonly Figure[]): Promise<void> {
  await writeFile(file, `${JSON.stringify(figures, null, 2)}\n`);
}

function verdictText({ holds }: Figure): string {
  if (holds === null) return '–';
  return holds ? 'yes' : 'no';
}

function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= noteWidth) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((each) => `${noteIndent}${each}`).join('\n');
}
