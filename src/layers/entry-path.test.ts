import { expect, test } from 'vitest';
import { ancestors, normalPath, pathDepth, pathMeaning } from './entry-path.ts';

test.each([
  ['a/b', 'a/b'],
  ['/a/b/', 'a/b'],
  ['./a//b/./c', 'a/b/c'],
  ['../../a', 'a'],
  ['a/../../../b', 'b'],
  ['a/..', ''],
  ['', ''],
  ['./', ''],
  ['/', ''],
  ['..a/.b/c..', '..a/.b/c..'],
  ['a/...', 'a/...'],
])('normalPath(%j) is %j', (raw, path) => {
  expect(normalPath(raw)).toBe(path);
});

test.each([
  ['a/.wh.b', { kind: 'whiteout', path: 'a/b' }],
  ['.wh.b', { kind: 'whiteout', path: 'b' }],
  ['a/.wh..hidden', { kind: 'whiteout', path: 'a/.hidden' }],
  ['a/.wh..wh..opq', { kind: 'opaque', path: 'a' }],
  ['.wh..wh..opq', { kind: 'opaque', path: '' }],
  ['.wh..wh.plnk', { kind: 'skip' }],
  ['.wh..wh.plnk/1', { kind: 'skip' }],
  ['a/.wh.', { kind: 'entry', path: 'a/.wh.' }],
  ['a/.wh...', { kind: 'entry', path: 'a/.wh...' }],
  ['.wh.a/b', { kind: 'entry', path: '.wh.a/b' }],
  ['a.wh.b', { kind: 'entry', path: 'a.wh.b' }],
])('pathMeaning(%j)', (path, meaning) => {
  expect(pathMeaning(path)).toEqual(meaning);
});

test('ancestors go up to the root', () => {
  expect([...ancestors('a/b/c')]).toEqual(['a/b', 'a', '']);
  expect([...ancestors('a')]).toEqual(['']);
  expect([...ancestors('')]).toEqual([]);
  expect(pathDepth('a/b/c')).toBe(3);
});
