import { turnEnded } from '../../lib/shared.ts';

/**
 * Rows on their way from one thread to another: column by column, numbers as such in one piece of memory that is handed
 * over, since to copy thousands of small objects takes longer than to find them.
 */
export interface PackedRows {
  readonly length: number;
  readonly columns: readonly PackedColumn[];
}

interface PackedColumn {
  readonly name: string;
  /** One for each row; or what is the same in all of them. */
  readonly values: Float64Array | readonly unknown[] | { readonly same: unknown };
}

/** Fewer are copied as they are. */
const rowsFew = 64;
const rowsInTurn = 4_000;

/** @param rows each a list of values, in the order of `names` */
export function rowsPacked(names: readonly string[], rows: readonly (readonly unknown[])[]): PackedRows {
  return { length: rows.length, columns: names.map((name, at) => ({ name, values: columnOf(rows, at) })) };
}

function columnOf(rows: readonly (readonly unknown[])[], at: number): PackedColumn['values'] {
  const values = rows.map((row) => row[at]);
  if (rows.length < rowsFew) return values;
  const [first] = values;
  if (values.every((value) => Object.is(value, first))) return { same: first };
  return values.every((value) => typeof value === 'number') ? Float64Array.from(values) : values;
}

/** What can be handed over instead of copied. */
export function memoryOf({ columns }: PackedRows): ArrayBuffer[] {
  return columns.flatMap(({ values }) =>
    values instanceof Float64Array && values.buffer instanceof ArrayBuffer ? [values.buffer] : [],
  );
}

/** Many in several turns of the event loop. */
export async function rowsUnpacked({ length, columns }: PackedRows): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let from = 0; from < length; from += rowsInTurn) {
    if (from > 0) await turnEnded();
    const to = Math.min(from + rowsInTurn, length);
    for (let at = from; at < to; at += 1) rows.push({});
    for (const { name, values } of columns)
      for (let at = from; at < to; at += 1) {
        const row = rows[at];
        if (row) row[name] = 'same' in values ? values.same : values[at];
      }
  }
  return rows;
}
