import { expect, test } from 'vitest';
import { installed, listed } from './installed.ts';
import { jarPackages } from './jars.ts';
import type { RealImage } from './real-image.ts';
import { listedFiles } from './unpacked-files.ts';

/** Where the inventory and the tools in the image differ, and why that is right. */
export interface Explained {
  /** What a tool says, and the inventory does not; or how it says it instead. */
  readonly said?: string;
  readonly listed?: string;
  readonly because: string;
}

/** What is true of every image: it was read whole, and is what one finds inside it, no file or package more, none less. */
export function sameAsInside(image: () => RealImage, explained: readonly Explained[] = []): void {
  test('was read whole', () => {
    const { state, reason, layers } = image().shown;
    expect({ state, reason }).toEqual({ state: 'done', reason: null });
    expect(layers.map((layer) => layer.state)).toEqual(layers.map(() => 'done'));
  });

  test('has exactly the files that are unpacked from it', () => {
    const { files, unpacked } = image();
    expect(files.length).toBeGreaterThan(0);
    expect(difference(listedFiles(files), unpacked)).toEqual({ listed: [], said: [] });
  });

  test('has exactly the packages that the tools inside it list', async () => {
    const { root, packages } = image();
    const said = [...(await installed(root)), ...(await jarPackages(root))];
    expect(said.length).toBeGreaterThan(0);
    expect(difference(listed(packages), said)).toEqual({
      listed: explained.flatMap((each) => each.listed ?? []).sort(),
      said: explained.flatMap((each) => each.said ?? []).sort(),
    });
  }, 120_000);
}

/** What only one side has, sorted. */
function difference(listed: readonly string[], said: readonly string[]) {
  const [ours, theirs] = [new Set(listed), new Set(said)];
  return { listed: [...ours.difference(theirs)].sort(), said: [...theirs.difference(ours)].sort() };
}
