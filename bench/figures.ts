import type { Figure } from './benchmark.ts';

interface Measured {
  readonly name: string;
  readonly unit: string;
  /** One of each round. */
  readonly samples: readonly number[];
  /** What was measured, and how. */
  readonly note: string;
}

/** The median of the rounds, without a target. */
export function figure(measured: Measured): Figure {
  const { name, unit, samples } = measured;
  const note = `${spreadText(samples)}; ${measured.note}`;
  return { name, value: rounded(median(samples)), unit, target: null, holds: null, note };
}

/** The median of the rounds, which must not be over `target`. */
export function figureAtMost(target: number, measured: Measured): Figure {
  const { value, ...rest } = figure(measured);
  return { ...rest, value, target, holds: value <= target };
}

/** The median of the rounds, which must not be under `target`. */
export function figureAtLeast(target: number, measured: Measured): Figure {
  const { value, ...rest } = figure(measured);
  return { ...rest, value, target, holds: value >= target, atLeast: true };
}

function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

function spreadText(samples: readonly number[]): string {
  const texts = [Math.min(...samples), median(samples), Math.max(...samples)].map((each) => rounded(each));
  return `min ${texts[0]}, median ${texts[1]}, max ${texts[2]} of ${samples.length}`;
}

/** Three digits say more than these measurements know. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
