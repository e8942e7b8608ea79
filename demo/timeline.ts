import { styleText } from 'node:util';

/** Something worth telling at the end. `at` is milliseconds since 1970. */
export type Moment =
  | { readonly kind: 'chapter'; readonly at: number; readonly what: string }
  | {
      readonly kind: 'moment';
      readonly at: number;
      readonly where: string;
      readonly what: string;
      readonly tookMs?: number;
    };

interface TimelineOptions {
  readonly startedAt: number;
  readonly styled: boolean;
}

const barsMax = 24;
/** A bar is as long as its time, on a scale by powers of ten: from 1 ms to 100 s. */
const decades = 5;

/** One line per moment, in the order of time: when, where, what, how long. */
export function timelineText(moments: readonly Moment[], { startedAt, styled }: TimelineOptions): string {
  const paint = (format: 'bold' | 'dim' | 'cyan' | 'yellow', text: string) =>
    styled ? styleText(format, text, { validateStream: false }) : text;
  // Of one millisecond, a chapter opens before what happens in it.
  const sorted = moments
    .map((moment, order) => ({ moment, order }))
    .sort((a, b) => a.moment.at - b.moment.at || a.order - b.order)
    .map(({ moment }) => moment);
  const plain = sorted.filter((moment) => moment.kind === 'moment');
  const whereWidth = Math.max(...plain.map(({ where }) => where.length));
  const whatWidth = Math.max(...plain.map(({ what }) => what.length));
  return sorted
    .map((moment) => {
      if (moment.kind === 'chapter') return `\n  ${paint('bold', moment.what)}`;
      const when = `${((moment.at - startedAt) / 1000).toFixed(3)} s`.padStart(10);
      const { where, what, tookMs } = moment;
      const took = tookMs === undefined ? '' : `${Math.round(tookMs).toLocaleString('en')} ms`;
      const line = `${paint('dim', when)}  ${paint('cyan', where.padEnd(whereWidth))}  ${what.padEnd(whatWidth)}`;
      return `${line}  ${took.padStart(9)}  ${paint('yellow', barOf(tookMs))}`.trimEnd();
    })
    .join('\n');
}

function barOf(tookMs: number | undefined): string {
  if (tookMs === undefined || tookMs < 1) return '';
  return '▪'.repeat(Math.min(barsMax, Math.ceil((Math.log10(tookMs) * barsMax) / decades)));
}
