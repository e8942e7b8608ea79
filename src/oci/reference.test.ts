import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../lib/errors.ts';
import {
  formatReference,
  parseReference,
  parseRepositoryName,
  parseTag,
  parseTagOrDigest,
} from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    for (const code of ['nameInvalid', 'digestInvalid'] as const) if (hasCode(error, code)) return code;
    throw error;
  }
  return 'none';
}

describe('parseReference', () => {
  it.each([
    ['acme/shop:1', { repository: { name: 'acme/shop', account: 'acme' }, tag: '1' }],
    [`acme/shop@${digest}`, { repository: { name: 'acme/shop', account: 'acme' }, digest }],
    [`acme/shop:1@${digest}`, { repository: { name: 'acme/shop', account: 'acme' }, tag: '1', digest }],
    [
      'host:5000/acme/shop:1',
      { registry: 'host:5000', repository: { name: 'acme/shop', account: 'acme' }, tag: '1' },
    ],
    ['localhost/shop', { registry: 'localhost', repository: { name: 'shop', account: 'default' } }],
    ['registry.example/a/b/c', { registry: 'registry.example', repository: { name: 'a/b/c', account: 'a' } }],
    [
      '[::1]:5000/shop:x',
      { registry: '[::1]:5000', repository: { name: 'shop', account: 'default' }, tag: 'x' },
    ],
    ['shop', { repository: { name: 'shop', account: 'default' } }],
    ['shop:5000', { repository: { name: 'shop', account: 'default' }, tag: '5000' }],
  ])('reads %s, and writes it back', (text, expected) => {
    const reference = parseReference(text);
    expect(reference).toEqual(expected);
    expect(formatReference(reference)).toBe(text);
  });

  it.each([
    ['', 'nameInvalid'],
    ['acme/shop:', 'nameInvalid'],
    ['acme/shop:.x', 'nameInvalid'],
    ['acme/shop@sha256:abc', 'digestInvalid'],
    ['acme/shop@', 'digestInvalid'],
    ['Acme/shop:1', 'nameInvalid'],
    ['host:5000/', 'nameInvalid'],
    ['-a.b/shop', 'nameInvalid'],
    ['a.b:port/shop', 'nameInvalid'],
    [':tag', 'nameInvalid'],
  ])("refuses '%s' with %s", (text, code) => expect(codeOf(() => parseReference(text))).toBe(code));
});

describe('parseRepositoryName', () => {
  it.each(['a', 'a/b', 'a.b/c_d/e__f/g-h/i---j', '0', 'a'.repeat(255)])('accepts %s', (name) => {
    expect(parseRepositoryName(name).name).toBe(name);
  });

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'a..b',
    'a___b',
    'a._b',
    '-a',
    'a-',
    'A',
    'a b',
    'a/../b',
    'é',
    'a\n',
    'a'.repeat(256),
  ])("refuses '%s'", (name) => expect(codeOf(() => parseRepositoryName(name))).toBe('nameInvalid'));

  it('answers at once when the name is long and nearly valid', () => {
    fc.assert(
      fc.property(fc.constantFrom('a-', 'a__', 'a/', 'a.', '-', '_'), fc.nat({ max: 250 }), (part, count) => {
        codeOf(() => parseRepositoryName(`${part.repeat(count).slice(0, 254)}!`));
      }),
    );
  });
});

describe('parseTag', () => {
  it.each(['1', 'latest', '_x', 'V1.2-rc', 'a'.repeat(128)])('accepts %s', (tag) =>
    expect(parseTag(tag)).toBe(tag),
  );
  it.each(['', '.a', '-a', 'a:b', 'a/b', 'a b', 'a\n', 'a'.repeat(129)])("refuses '%s'", (tag) => {
    expect(codeOf(() => parseTag(tag))).toBe('nameInvalid');
  });
});

describe('parseTagOrDigest', () => {
  it('tells a tag, a digest and a broken digest apart', () => {
    expect(parseTagOrDigest('v1')).toEqual({ tag: 'v1' });
    expect(parseTagOrDigest(digest)).toEqual({ digest });
    expect(codeOf(() => parseTagOrDigest('sha256:123'))).toBe('digestInvalid');
  });
});
