/** What one seed is like: drawn from it, by a theme, so that the rare meetings of one kind are frequent in some seeds. */
import type { SeededRandom } from './random.ts';
import type { Rates } from './scheduler.ts';
import { focusOn } from './universe.ts';
import type { work, workAway } from './work.ts';
import type { Settings } from './world.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * `all`: everything meets everything · `marking`: doors under quarantines that come and go · `twins`: two compressions of a
 * layer, of which a quarantine has seen one · `indexes`: what indexes name is deleted under a quarantine · `ending`:
 * quarantines that are released, held or destroyed about when their retention ends · `again`: digests that come again while
 * the collector takes them · `away`: decisions that change while another region follows
 */
const themes = { all: 6, marking: 4, twins: 1.5, indexes: 2, ending: 2, again: 3, away: 2 } as const;

type Theme = keyof typeof themes;
type Weights = Readonly<Record<keyof typeof work, number>>;

export interface Mixture {
  readonly theme: Theme;
  readonly settings: Settings;
  readonly rates: Rates;
  readonly home: Weights;
  readonly away: Readonly<Record<keyof typeof workAway, number>>;
  readonly step: Readonly<
    Record<'call' | 'begin' | 'time' | 'stall' | 'crash' | 'machine' | 'clock', number>
  >;
  /** Images are inspected before the first step. */
  readonly inspected: boolean;
  readonly atOnce: number;
}

const base: Weights = {
  push: 6,
  pull: 2,
  uploadBlob: 1,
  headBlob: 1,
  mountBlob: 0.5,
  pullBlob: 1,
  removeManifest: 2,
  removeTag: 1,
  removeBlob: 0.5,
  restore: 0.5,
  inspect: 2,
  quarantine: 1,
  release: 1,
  destroy: 0.5,
  holdLegally: 0.5,
  pin: 0.3,
  collect: 4,
};
const quarantines = { push: 3, pull: 8, removeManifest: 0.5, quarantine: 5, release: 0.5, collect: 1 };

const emphasis: Readonly<Record<Theme, Partial<Weights>>> = {
  all: {},
  marking: quarantines,
  twins: { ...quarantines, push: 8, inspect: 1 },
  indexes: {
    push: 3,
    quarantine: 5,
    removeManifest: 8,
    removeTag: 0.3,
    collect: 6,
    release: 0.5,
    destroy: 0,
  },
  ending: { push: 3, pull: 4, quarantine: 4, release: 4, holdLegally: 2, collect: 5, removeManifest: 0.5 },
  again: {
    push: 6,
    uploadBlob: 4,
    mountBlob: 6,
    removeManifest: 4,
    removeBlob: 6,
    collect: 8,
    quarantine: 0.1,
  },
  away: { quarantine: 5, release: 3, holdLegally: 3, destroy: 1, collect: 1 },
};

export function mixtureOf(random: SeededRandom): Mixture {
  const rate = (...rates: readonly number[]) => random.pick(rates);
  const weight = () => rate(0.3, 1, 1, 3);
  const theme = random.weighted(themes);
  const short = theme === 'again' || theme === 'indexes' || theme === 'ending';
  const settings: Settings = {
    graceMs: short ? rate(minute, 2 * hour) : rate(minute, 2 * hour, day),
    retentionMs: theme === 'indexes' ? 30 * day : rate(hour, 2 * day),
    replica: theme === 'away' || random.chance(0.35),
    focus: focusOn(random, theme),
  };
  const rates = {
    failBefore: rate(0, 0, 0.01, 0.04),
    lose: rate(0, 0, 0.01, 0.04),
    late: rate(0, 0.1, 0.3),
    quickRead: rate(0.5, 0.85, 0.95),
  };
  const home = scaled({ ...base, ...emphasis[theme] }, weight);
  const away = scaled({ follow: theme === 'away' ? 8 : 4, copy: 2, pull: 2, collect: 1 }, weight);
  const marking = theme === 'marking' || theme === 'twins';
  const step = {
    call: 60,
    begin: rate(6, 12),
    time: marking ? 0.5 : short ? rate(3, 8) : rate(1, 3, 8),
    stall: theme === 'again' ? rate(2, 5) : rate(0, 1, 3),
    crash: rate(0, 0.2, 1),
    machine: rate(0, 0.1),
    clock: random.chance(0.06) ? 1 : 0,
  };
  return {
    theme,
    settings,
    rates,
    home,
    away,
    step,
    inspected: marking || theme === 'indexes' || theme === 'ending' || theme === 'away',
    atOnce: rate(2, 4, 8),
  };
}

function scaled<T extends string>(
  usual: Readonly<Record<T, number>>,
  by: () => number,
): Readonly<Record<T, number>> {
  const weights: Record<T, number> = { ...usual };
  for (const name in weights) weights[name] *= by();
  return weights;
}
