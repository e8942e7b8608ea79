import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elfOf, peOf } from '../../../../test/support/executables.ts';
import { limits } from '../../../lib/limits.ts';
import type { Extracted } from '../../extractor.ts';
import { contentOf } from '../../file-content.ts';
import { executable } from './executable.ts';

const extract = (path: string, bytes: Uint8Array): Extracted =>
  executable.extract({ path, kind: 'file', sizeBytes: bytes.length, mode: 0o755 }, contentOf(bytes, limits));
const program = (text: string, before = 0) =>
  elfOf([{ name: '.rodata', bytes: Buffer.concat([Buffer.alloc(before), Buffer.from(`\0${text}\0`)]) }]);
const wants = (path: string) => executable.wants({ path, kind: 'file', sizeBytes: 1_000, mode: 0o755 });

test.each([
  ['usr/local/bin/node', true],
  ['node', true],
  ['app/node.exe', true],
  ['usr/lib/x86_64-linux-gnu/libnode.so.108', true],
  ['usr/lib/x86_64-linux-gnu/libnode.so.108.debug', false],
  ['bin/busybox', true],
  ['bin/busybox.static', true],
  ['bin/sh', true],
  ['usr/bin/nodejs-tool', false],
  ['app/node/index.js', false],
  ['bin/bash', false],
])('%s may be one: %s', (path, expected) => {
  expect(wants(path)).toBe(expected);
});

test('Node.js is told by where its headers are, and known to advisories', () => {
  const text = 'https://nodejs.org/download/release/v20.11.1/node-v20.11.1-headers.tar.gz';
  const node = { purl: 'pkg:generic/node@20.11.1', ecosystem: 'Bitnami', name: 'node', version: '20.11.1' };
  expect(extract('usr/local/bin/node', program(text))).toEqual({ packages: [node] });
  expect(extract('node.exe', peOf(Buffer.from(text)))).toEqual({ packages: [node] });
});

test('the Node.js of a distribution is found in its library, and what starts that is no problem', () => {
  const text = 'https://nodejs.org/download/release/v18.20.4/node-v18.20.4-headers.tar.gz';
  const library = extract('usr/lib/x86_64-linux-gnu/libnode.so.108', program(text));
  expect(library.packages?.map(({ purl }) => purl)).toEqual(['pkg:generic/node@18.20.4']);
  const needed = elfOf([{ name: '.dynstr', bytes: Buffer.from('\0libnode.so.108\0libc.so.6\0') }]);
  expect(extract('usr/bin/node', needed)).toEqual({});
  expect(extract('usr/bin/node', elfOf([{ name: '.dynstr', bytes: Buffer.from('\0libc.so.6\0') }]))).toEqual({
    problem: 'no version of node was found in it',
  });
});

test('busybox is told by what it prints, also under the name of one of its links', () => {
  const found = {
    packages: [{ purl: 'pkg:generic/busybox@1.35.0', ecosystem: '', name: 'busybox', version: '1.35.0' }],
  };
  expect(extract('bin/busybox', program('BusyBox v1.35.0 (2022-01-17)'))).toEqual(found);
  expect(extract('bin/[', program('BusyBox v1.35.0 (2022-01-17)'))).toEqual(found);
});

test('a text on the border of two pieces is found', () => {
  for (const before of [4 * 1024 * 1024 - 20, 4 * 1024 * 1024 - 5])
    expect(extract('bin/busybox', program('x BusyBox v1.35.0 ', before)).packages).toHaveLength(1);
});

test('a program of that name without a version is unknown; another shell is not', () => {
  expect(extract('bin/busybox', program('BusyBox vX'))).toEqual({
    problem: 'no version of busybox was found in it',
  });
  expect(extract('bin/sh', program('dash'))).toEqual({});
});

const busybox = '/usr/bin/busybox';
test.skipIf(!existsSync(busybox))('a real busybox says what it prints (skipped where there is none)', () => {
  const printed = /BusyBox v(\S+)/.exec(execFileSync(busybox, ['--help'], { encoding: 'utf8' }))?.[1];
  expect(extract('bin/busybox', readFileSync(busybox)).packages?.[0]?.version).toBe(printed);
});
