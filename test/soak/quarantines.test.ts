import { beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../simulation/random.ts';
import { Quarantines } from './quarantines.ts';
import { Universe } from './universe.ts';

describe('what a quarantine must and may refuse', () => {
  let universe: Universe;
  beforeAll(async () => {
    universe = await Universe.of(new SeededRandom(1));
  });

  /** Of the first image's first layer, in acme's repositories. */
  function quarantined() {
    const quarantines = new Quarantines(universe);
    const [image] = universe.images;
    const layer = image?.layers[0]?.digest ?? '';
    const marks = [{ target: 'layer' as const, digest: layer, diffId: null, repositoryGlob: null }];
    const quarantine = quarantines.add({ account: 'acme', marks, retainedUntil: Infinity });
    const now = () => ({ startedAt: performance.now(), endedAt: performance.now() });
    return { quarantines, quarantine, layer, now };
  }

  it('is allowed from the question on, and a must from the acknowledgement until the release is asked for', () => {
    const { quarantines, quarantine, layer, now } = quarantined();
    expect(quarantines.possible('acme/shop', layer, now())).toBe(true);
    expect(quarantines.certain('acme/shop', layer, now())).toBeUndefined();
    quarantine.acknowledgedAt = performance.now();
    const later = { startedAt: performance.now() + 1, endedAt: performance.now() + 2 };
    expect(quarantines.certain('acme/shop', layer, later)).toBe(quarantine);
    quarantine.releaseAskedAt = later.endedAt - 0.5;
    expect(quarantines.certain('acme/shop', layer, later)).toBeUndefined();
    expect(quarantines.possible('acme/shop', layer, later)).toBe(true);
    quarantine.releasedAt = later.startedAt - 0.5;
    expect(quarantines.possible('acme/shop', layer, later)).toBe(false);
  });

  it('is neither in another account', () => {
    const { quarantines, layer, now } = quarantined();
    expect(quarantines.possible('globex/web', layer, now())).toBe(false);
  });

  it('excuses what is gone only once its retention may have ended', () => {
    const { quarantines, layer } = quarantined();
    const since = performance.now();
    expect(quarantines.mayHaveTaken('acme/shop', layer, since)).toBe(false);
    const marks = [{ target: 'layer' as const, digest: layer, diffId: null, repositoryGlob: null }];
    const ended = quarantines.add({ account: null, marks, retainedUntil: since });
    expect(quarantines.mayHaveTaken('acme/shop', layer, since)).toBe(true);
    ended.releasedAt = since - 1;
    expect(quarantines.mayHaveTaken('acme/shop', layer, since)).toBe(false);
  });
});
