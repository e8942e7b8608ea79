/** What is measured, and what there is to measure it with. Benchmarks are listed in benchmarks.ts. */

/** One line of a report, in print and as JSON. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `ms`, `MB`, `MB/s`; `×` where it is a ratio. */
  readonly unit: string;
  /** null: nothing was promised. */
  readonly target: number | null;
  /** Whether the value keeps to the target; null where there is none. */
  readonly holds: boolean | null;
  /** How it was measured and how it spread; what stands in the way where it does not hold. */
  readonly note: string;
  /** The target is the least that it may be, not the most. */
  readonly atLeast?: true;
}

export interface BenchOptions {
  /** For everything that lies on disk meanwhile; each figure makes it and removes it. */
  readonly folder: string;
  /** Aborts when somebody interrupts. */
  readonly signal: AbortSignal;
  /** To see that it works: as little as possible, so that no figure says anything. Some benchmarks have no such run. */
  readonly tiny: boolean;
  /** Only the part of that name, of a benchmark that has parts. */
  readonly only?: string | undefined;
  /** Tells what goes on. */
  readonly say: (line: string) => void;
}

/** Yields each figure as soon as it is known, so that what comes later may fail. */
export type Measure = (options: BenchOptions) => AsyncGenerator<Figure>;

export interface Benchmark {
  /** What is typed: `npm run bench -- loop`. */
  readonly name: string;
  readonly summary: string;
  readonly measure: Measure;
  /** What `--only` can name. */
  readonly parts?: readonly string[];
}
