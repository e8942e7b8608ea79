import type { CompiledQuery, DialectAdapter, QueryExecutorProvider } from 'kysely';
import type { Reader } from './engine.ts';

type Value = string | number | null;
type Values<V> = { readonly [name in keyof V]: Value | readonly Value[] };

/** What builds a query, or a fragment that is one. */
interface Compilable<R> {
  compile(executor: QueryExecutorProvider): CompiledQuery<R>;
}

/** Of one query. Lists of yet other lengths are built anew each time. */
const lengthsKeptMax = 32;

/**
 * A query that is built and compiled once for each database (and for each length of its lists), for what every request
 * asks: to build one costs more than to run it.
 * @param build gets something that stands for each value, so it must not look at them
 */
export function keptQuery<V extends Values<V>, R>(
  build: (db: Reader, values: V) => Compilable<R>,
): (db: Reader, values: V) => Promise<R[]> {
  const byEngine = new WeakMap<DialectAdapter, Map<string, KeptQuery<V, R>>>();
  return async (db, values) => {
    const { adapter } = db.getExecutor();
    const kept = byEngine.get(adapter) ?? new Map<string, KeptQuery<V, R>>();
    if (kept.size === 0) byEngine.set(adapter, kept);
    const lengths = lengthsOf(values);
    const query = kept.get(lengths) ?? queryOf(db, build, values);
    if (kept.size < lengthsKeptMax) kept.set(lengths, query);
    const parameters = query.compiled.parameters.map((same, at) => {
      const place = query.places[at];
      return place ? valueAt(values, place) : same;
    });
    const asked: CompiledQuery<R> = { ...query.compiled, parameters };
    return (await db.executeQuery(asked)).rows;
  };
}

/** One of the values, or of a list among them. */
interface Place<V> {
  readonly name: keyof V;
  readonly index: number;
}

interface KeptQuery<V, R> {
  readonly compiled: CompiledQuery<R>;
  /** What each parameter is; undefined: always the same. */
  readonly places: readonly (Place<V> | undefined)[];
}

function valueAt<V extends Values<V>>(values: V, { name, index }: Place<V>): unknown {
  const value: Value | readonly Value[] = values[name];
  return Array.isArray(value) ? value[index] : value;
}

function lengthsOf(values: object): string {
  let lengths = '';
  for (const value of Object.values(values)) lengths += Array.isArray(value) ? `${value.length},` : ',';
  return lengths;
}

function queryOf<V extends Values<V>, R>(
  db: Reader,
  build: (db: Reader, values: V) => Compilable<R>,
  values: V,
): KeptQuery<V, R> {
  const places = new Map<unknown, Place<V>>();
  const standIns: Partial<Record<keyof V, unknown>> = {};
  for (const name in values) {
    // No engine takes a symbol as a value, and whoever looks into one fails.
    const standIn = (index: number) => {
      const symbol = Symbol(name);
      places.set(symbol, { name, index });
      return symbol;
    };
    const value: unknown = values[name];
    standIns[name] = Array.isArray(value) ? value.map((_, index) => standIn(index)) : standIn(0);
  }
  const compiled = build(db, standIns as V).compile(db);
  return { compiled, places: compiled.parameters.map((parameter) => places.get(parameter)) };
}
