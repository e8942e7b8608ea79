import type { Soaked } from './soak.ts';

/** A line per figure, a column per engine. */
export function table(columns: readonly Soaked[]): string {
  const lines: [string, (of: Soaked) => number | string][] = [
    ['', (of) => of.engine],
    ['servers', (of) => of.servers],
    ['requests', (of) => of.counts.requests],
    ['events', (of) => of.events],
    ['pushes', (of) => of.counts.pushes],
    ['pulls', (of) => of.counts.pulls],
    ['pushes by real clients', (of) => of.counts.realPushes],
    ['pulls by real clients', (of) => of.counts.realPulls],
    ['deletes', (of) => of.counts.deletes],
    ['restores', (of) => of.counts.restores],
    ['marks', (of) => of.counts.marks],
    ['releases', (of) => of.counts.releases],
    ['refusals', (of) => of.counts.refusals],
    ['kills', (of) => of.kills],
    ['collections', (of) => of.collections],
    ['blobs collected', (of) => of.collectedBlobs],
    ['bytes collected', (of) => of.collectedBytes],
    ['images verified', (of) => of.verified],
    ['broken', (of) => of.broken],
    ['leaked bytes', (of) => of.leakedBytes],
    ['condemned keys left', (of) => of.condemnedKeys],
    ['uploads left', (of) => of.uploads],
    ['promises not kept', (of) => of.violations.length],
  ];
  return lines
    .map(([name, value]) =>
      [name.padEnd(24), ...columns.map((of) => format(value(of)).padStart(14))].join(' ').trimEnd(),
    )
    .join('\n');
}

function format(value: number | string): string {
  return typeof value === 'number' ? value.toLocaleString('en') : value;
}
