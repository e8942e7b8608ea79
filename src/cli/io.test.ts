import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LazaretError } from '../lib/errors.ts';
import { type CliIo, reportError, serverUrl, worseExit } from './io.ts';
import { print, tableText } from './output.ts';

function recordingIo(): CliIo & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    env: {},
    homeFolder: '/nowhere',
    stdin: Readable.from([]),
    terminal: false,
    signal: new AbortController().signal,
    out: (line) => void lines.push(line),
    note: (line) => void lines.push(line),
    exit: () => {},
  };
}

describe('the command line', () => {
  it.each([
    ['localhost:5000', 'http://localhost:5000'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ['registry.example', 'https://registry.example'],
    ['http://registry.example:80/path', 'http://registry.example'],
  ])('reads the server %s as %s', (text, url) => {
    expect(serverUrl(text)).toBe(url);
  });

  it('refuses what is no address', () => {
    expect(() => serverUrl('http://:x')).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it.each([
    [0, 3, 3],
    [3, 2, 2],
    [2, 3, 2],
    [2, 1, 1],
  ] as const)('exits, of %i and %i, with %i', (a, b, worse) => {
    expect(worseExit(a, b)).toBe(worse);
  });

  it('prints a failure with its code and what to do, and exits by what it means', () => {
    const io = recordingIo();
    expect(reportError(io, new LazaretError('unavailable', 'no answer from http://x'))).toBe(1);
    expect(io.lines).toEqual([
      'error: no answer from http://x (unavailable)',
      '  is the server running? start one with: lazaret serve',
    ]);
    expect(reportError(io, new LazaretError('quarantined', 'Q-1'))).toBe(2);
  });

  it('prints a table with aligned columns and a sign for what is missing', () => {
    const table = {
      columns: ['name', 'size'],
      rows: [
        ['acme/shop', 12],
        ['x', null],
      ],
    };
    expect(tableText(table, false)).toBe('NAME       SIZE\nacme/shop  12\nx          -');
  });

  it('prints the same value as JSON or YAML', async () => {
    const io = recordingIo();
    await print(io, 'json', { a: [1] }, () => '');
    await print(io, 'yaml', { a: [1] }, () => '');
    expect(io.lines).toEqual(['{\n  "a": [\n    1\n  ]\n}', 'a:\n  - 1']);
  });
});
