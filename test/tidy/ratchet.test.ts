import { expect, test } from 'vitest';
import { longFileExceptions, longFunctionExceptions } from './exceptions.ts';
import { projectFiles, whole } from './project-files.ts';
import { fileLinesMax, functionLinesMax, longFiles, longFunctions } from './ratchet.ts';

const lines = (count: number) => '\n'.repeat(count);
const longFile = { path: 'src/a.ts', text: `${lines(fileLinesMax)}x;\n` };
const longFunction = { path: 'src/a.ts', text: `\nfunction f() {${lines(functionLinesMax)}}\n` };

test('no file is longer than the limit or its exception', () => {
  expect(longFiles(projectFiles(), longFileExceptions)).toEqual([]);
});

test('no function is longer than the limit or its exception', whole, () => {
  expect(longFunctions(projectFiles(), longFunctionExceptions)).toEqual([]);
});

test('a file over the limit is found, one at the limit is not', () => {
  expect(longFiles([longFile], {})).toEqual(['src/a.ts: 351 lines, over 350']);
  expect(longFiles([{ path: 'src/a.ts', text: `${lines(fileLinesMax - 1)}x;\n` }], {})).toEqual([]);
});

test('a function over the limit is found, one at the limit is not', () => {
  expect(longFunctions([longFunction], {})).toEqual(['src/a.ts#f: 71 lines, over 70']);
  expect(
    longFunctions([{ path: 'src/a.ts', text: `function f() {${lines(functionLinesMax - 1)}}` }], {}),
  ).toEqual([]);
});

test.each([
  ['method', `class A { m() {${lines(80)}} }`, 'A.m'],
  ['constructor', `class A { constructor() {${lines(80)}} }`, 'A.constructor'],
  ['arrow function', `const g = () => {${lines(80)}};`, 'g'],
  ['member of an object', `const o = { h: async () => {${lines(80)}} };`, 'h'],
  ['callback', `call(() => {${lines(80)}});`, 'line 1'],
])('a long %s is named', (_kind, text, name) => {
  expect(longFunctions([{ path: 'src/a.ts', text }], {})).toEqual([`src/a.ts#${name}: 81 lines, over 70`]);
});

test('an exception allows its length, and a finding tells when it grew, shrank or is needed no more', () => {
  expect(longFiles([longFile], { 'src/a.ts': 351 })).toEqual([]);
  expect(longFunctions([longFunction], { 'src/a.ts#f': 71 })).toEqual([]);
  expect(longFiles([longFile], { 'src/a.ts': 350 })).toEqual(['src/a.ts: 351 lines, has grown from 350']);
  expect(longFiles([longFile], { 'src/a.ts': 360 })).toEqual([
    'src/a.ts: 351 lines now; lower its entry of 360 in exceptions.ts',
  ]);
  expect(longFiles([], { 'src/a.ts': 360 })).toEqual([
    'src/a.ts: not over 350 lines; take it out of exceptions.ts',
  ]);
});

test('a function that declares tests may be long among tests, a test in it and other functions may not', () => {
  const text = `export function contract() { describe('a', () => {${lines(80)} test('b', () => {${lines(80)}}); }); }`;
  const inTest = ['src/a.test.ts#line 81: 81 lines, over 70'];
  expect(longFunctions([{ path: 'src/a.test.ts', text }], {})).toEqual(inTest);
  expect(longFunctions([{ path: 'src/a.ts', text }], {})).toHaveLength(3);
});
