import fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { hasCode } from './errors.ts';
import { globMatcher, globPrefix } from './globs.ts';
import { limits } from './limits.ts';

test.each([
  ['acme/shop', ['acme/shop'], ['acme/shops', 'acme/sho', 'acme', 'acme/shop/x']],
  ['acme/*', ['acme/shop', 'acme/.hidden'], ['acme', 'acme/', 'acme/a/b', 'acmes/a']],
  ['acme/**', ['acme/shop', 'acme/a/b'], ['acme', 'acmes/a']],
  ['**', ['a', 'a/b/c'], []],
  ['**/jquery.js', ['jquery.js', 'a/b/jquery.js'], ['a/jqueryxjs', 'a/xjquery.js']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/b/y/b'], ['ab', 'a/x', 'a/xb']],
  ['a/**/b/**/c', ['a/b/c', 'a/b/x/b/y/c'], ['a/c', 'a/c/b']],
  ['lib*.so.?', ['liblzma.so.5', 'lib.so.1'], ['liblzma.so.', 'liblzma.so.10', 'lib/x.so.5']],
  ['*a*b*', ['ab', 'xaxbx', 'aab'], ['ba', 'a/b']],
  ['a**b', ['ab', 'axb'], ['a/b']],
  ['{acme,globex}/{shop,web*}', ['acme/shop', 'globex/web-1'], ['acme/api', '{acme,globex}/shop']],
  ['usr/{lib,lib64/{a,b}}/x', ['usr/lib/x', 'usr/lib64/b/x'], ['usr/lib64/x']],
  ['a{,b}c', ['ac', 'abc'], ['a,bc']],
  ['a\\*\\{b', ['a*{b'], ['ax{b']],
  ['a(b)|[c]+.$', ['a(b)|[c]+.$'], ['ab', 'c']],
  ['?', ['a', '☃', '🚢'], ['ab', '']],
])('glob %s matches what it says and nothing else', (glob, matching, others) => {
  const matches = globMatcher(glob);
  expect(matching.filter((text) => !matches(text))).toEqual([]);
  expect(others.filter(matches)).toEqual([]);
});

test.each([
  ['acme/shop', 'acme/shop'],
  ['acme/*', 'acme/'],
  ['acme/**', 'acme/'],
  ['ac?e', 'ac'],
  ['**/b', ''],
  ['a/**/b', 'a/'],
  ['usr/{lib,lib64}/x', 'usr/lib'],
  ['{a,b}/c', ''],
  ['a\\*b*', 'a*b'],
])('the prefix of %s is %j', (glob, prefix) => {
  expect(globPrefix(glob)).toBe(prefix);
});

test.each([
  ['', 'empty'],
  ['{a,b', 'no }'],
  ['a}', 'no {'],
  ['x'.repeat(limits.globLengthMax + 1), 'at most'],
  ['{a,b}'.repeat(40), 'alternatives'],
])('the glob %j is refused with a reason', (glob, reason) => {
  for (const use of [globMatcher, globPrefix]) {
    expect(() => use(glob)).toThrow(reason);
    expect(() => use(glob)).toThrow(expect.toSatisfy((error: unknown) => hasCode(error, 'invalid')));
  }
});

const name = fc
  .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 })
  .map((chars) => chars.join(''));
const text = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const namePattern = fc.oneof(
  fc.constant('**'),
  fc
    .array(fc.constantFrom('a', 'b', '*', '?', '{a,b}', '{ab,b*}'), { minLength: 1, maxLength: 4 })
    .map((tokens) =>
      // picomatch gives two stars side by side within a name a meaning of its own.
      tokens.join('').replace(/\*\**/g, '*'),
    ),
);
const pattern = fc
  .array(namePattern, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((glob) => 2 ** (glob.split('{').length - 1) <= limits.globAlternativesMax);

test('globs match what picomatch matches', () => {
  fc.assert(
    fc.property(pattern, text, (glob, path) => {
      const reference = picomatch(glob, { dot: true, strictSlashes: true })(path);
      expect(globMatcher(glob)(path)).toBe(reference);
    }),
    { numRuns: 5_000 },
  );
});

test('what matches begins with the prefix', () => {
  fc.assert(
    fc.property(pattern, text, (glob, path) => {
      if (globMatcher(glob)(path)) expect(path.startsWith(globPrefix(glob))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('a glob made to go back and forth ends', () => {
  const matches = globMatcher(`${'*a'.repeat(100)}*b`);
  expect(matches('a'.repeat(4_000))).toBe(false);
  const across = globMatcher(`${'**/a/'.repeat(50)}b`);
  expect(across(Array.from({ length: 250 }, () => 'a').join('/'))).toBe(false);
});
