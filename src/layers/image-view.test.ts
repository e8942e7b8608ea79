import { expect, test } from 'vitest';
import { imageView, type LayerInImage, pathsOfInterest } from './image-view.ts';
import type { FileKind } from './inventory.ts';

type Files = Readonly<Record<string, FileKind>>;

/** Layers from the base up: the packages as `path: id`, the files as `path: kind`. */
function view(
  ...layers: readonly { packages?: Readonly<Record<string, number>>; files?: Files }[]
): number[] {
  const built: LayerInImage[] = layers.map(({ packages = {}, files = {} }, position) => ({
    position,
    packages: Object.entries(packages).map(([path, packageId]) => ({ path, packageId })),
    files: Object.entries(files).map(([path, kind]) => ({ path, kind })),
  }));
  return imageView(built)
    .map(({ packageId }) => packageId)
    .sort();
}

const lodash = 'app/node_modules/lodash/package.json';
const base = { packages: { [lodash]: 1 } };

test.each<[string, Files, number[]]>([
  ['nothing', {}, [1]],
  ['a whiteout of the file', { [lodash]: 'whiteout' }, []],
  ['a whiteout of a folder above', { 'app/node_modules': 'whiteout' }, []],
  ['a whiteout of a file beside', { 'app/node_modules/lodash/README': 'whiteout' }, [1]],
  ['a whiteout of a name that only begins alike', { 'app/node_modules/lo': 'whiteout' }, [1]],
  ['an opaque folder above', { app: 'opaque' }, []],
  ['an opaque root', { '': 'opaque' }, []],
  ['an opaque folder beside', { lib: 'opaque' }, [1]],
  ['the same folders', { app: 'directory', 'app/node_modules': 'directory' }, [1]],
  ['another file at the path', { [lodash]: 'file' }, []],
  ['a folder at the path', { [lodash]: 'directory' }, []],
  ['a link in the place of a folder', { 'app/node_modules/lodash': 'link' }, []],
])('a package below a layer with %s', (_name, files, visible) => {
  expect(view(base, { files })).toEqual(visible);
  expect(view(base, {}, { files }, {})).toEqual(visible);
});

test('a package is not hidden by its own layer or by one below it', () => {
  expect(
    view(
      { files: { app: 'whiteout', '': 'opaque' } },
      { packages: { [lodash]: 1 }, files: { app: 'opaque' } },
    ),
  ).toEqual([1]);
});

test('an upgraded package is there once, and one that comes back is there', () => {
  expect(view(base, { packages: { [lodash]: 2 } })).toEqual([2]);
  expect(view(base, { files: { app: 'whiteout' } }, { packages: { [lodash]: 3 } })).toEqual([3]);
});

test('only the topmost database counts, and one that lists nothing hides those below', () => {
  const status = 'var/lib/dpkg/status';
  const database = (position: number, ids: readonly number[]): LayerInImage => ({
    position,
    packages: ids.map((packageId) => ({ packageId, path: status })),
    files: [{ path: status, kind: 'file' }],
  });
  expect(imageView([database(0, [1, 2]), database(2, [2, 3])])).toEqual([
    { packageId: 2, path: status, position: 2 },
    { packageId: 3, path: status, position: 2 },
  ]);
  expect(imageView([database(0, [1, 2]), database(1, [])])).toEqual([]);
});

test.each<[string, Files, number[]]>([
  ['nothing', {}, [1]],
  ['another archive at the path', { 'app/a.jar': 'file' }, []],
  ['a whiteout of the archive', { 'app/a.jar': 'whiteout' }, []],
  ['an opaque folder above', { app: 'opaque' }, []],
  ['another archive beside', { 'app/b.jar': 'file' }, [1]],
])('a package in an archive below a layer with %s', (_name, files, visible) => {
  const path = 'app/a.jar!/lib/b.jar';
  expect(pathsOfInterest([{ packageId: 1, path }])).toContain('app/a.jar');
  expect(view({ packages: { [path]: 1 }, files: { 'app/a.jar': 'file' } }, { files })).toEqual(visible);
});

test('the paths of interest are those of the packages and the folders above them', () => {
  expect([...pathsOfInterest([{ packageId: 1, path: 'a/b/c' }])].sort()).toEqual(['', 'a', 'a/b', 'a/b/c']);
});
