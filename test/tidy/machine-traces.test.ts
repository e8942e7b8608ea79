import { expect, test } from 'vitest';
import { looseVersions, machineTraces, resolvedAddresses } from './machine-traces.ts';
import { projectFiles } from './project-files.ts';

test('no file names a host of a package registry or a path of one machine', () => {
  expect(machineTraces(projectFiles())).toEqual([]);
});

test('no lock file has addresses', () => {
  expect(resolvedAddresses(projectFiles())).toEqual([]);
});

test('every dependency is one version', () => {
  expect(looseVersions(projectFiles())).toEqual([]);
});

test.each([
  ['https://registry.', 'npmjs.org/x'],
  ['deb http://deb.', 'debian.org bookworm'],
  ["'/work", "/main/a'"],
  ['see /root', '/.npmrc'],
])('%s%s is found', (start, end) => {
  expect(machineTraces([{ path: 'a.md', text: `\n${start}${end}` }])).toEqual([
    expect.stringMatching(/^a\.md:2: /),
  ]);
});

test.each([
  './work/a',
  'HOME=/root',
  'https://example.com/work/a',
  '$folder/work/a',
  'usr/root/a',
  'npm registry',
])('%s is allowed', (text) => {
  expect(machineTraces([{ path: 'a.md', text }])).toEqual([]);
});

test('a lock file with an address is found', () => {
  const text = '{ "packages": { "a": { "resolved": "https://example.com/a.tgz" } } }';
  expect(resolvedAddresses([{ path: 'tools/node/package-lock.json', text }])).toHaveLength(1);
  expect(resolvedAddresses([{ path: 'package-lock.json', text: '{}' }])).toEqual([]);
});

test('a version that may mean several is found', () => {
  const text = JSON.stringify({
    dependencies: { a: '^1.0.0', b: '1.0.0', c: '1.0.0-beta.1', d: 'npm:e@2.0.0' },
    devDependencies: { f: 'latest', g: 'npm:e@^2.0.0' },
  });
  expect(looseVersions([{ path: 'package.json', text }])).toEqual([
    'package.json: a is ^1.0.0, not one version',
    'package.json: f is latest, not one version',
    'package.json: g is npm:e@^2.0.0, not one version',
  ]);
});
