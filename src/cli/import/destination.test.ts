import { describe, expect, it } from 'vitest';
import { parseDestination, repositoryAt } from './destination.ts';

describe('where what is imported goes', () => {
  it.each([
    [undefined, 'team/shop', 'team/shop'],
    ['acme/', 'team/shop', 'acme/team/shop'],
    ['acme/old/', 'shop', 'acme/old/shop'],
    ['acme/shop', 'team/other', 'acme/shop'],
    ['acme/shop:1', undefined, 'acme/shop'],
  ])('DEST %s, %s at the source: %s', (dest, named, repository) => {
    expect(repositoryAt(parseDestination(dest), named, 1)).toBe(repository);
  });

  it.each([
    ['acme/shop', 'team/shop', 2, "end DEST with '/'"],
    [undefined, undefined, 1, 'does not name its repository'],
    ['acme/', 'Upper', 1, 'only lower-case letters'],
  ])('DEST %s, %s at the source, of %i, is refused', (dest, named, count, message) => {
    expect(() => repositoryAt(parseDestination(dest), named, count)).toThrow(message);
  });

  it.each([
    ['localhost:5000/acme/shop', '--server'],
    ['Acme/shop', 'lower-case'],
    [`acme/shop@sha256:${'0'.repeat(64)}`, 'no digest'],
  ])('DEST %s is refused', (dest, message) => {
    expect(() => parseDestination(dest)).toThrow(message);
  });
});
