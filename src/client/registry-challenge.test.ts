import { expect, it } from 'vitest';
import { parseChallenge, realmAddress } from './registry-challenge.ts';

it.each([
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    { kind: 'bearer', realm: 'https://auth.example/token', service: 'registry.example' },
  ],
  ['bearer Realm=https://a.example/t', { kind: 'bearer', realm: 'https://a.example/t', service: undefined }],
  ['Basic realm="Registry, \\"old\\""', { kind: 'basic' }],
  [
    'Basic realm="x", Bearer realm="https://a.example/t"',
    { kind: 'bearer', realm: 'https://a.example/t', service: undefined },
  ],
  [
    ['Basic realm="x"', 'Bearer realm="https://a.example/t"'],
    { kind: 'bearer', realm: 'https://a.example/t', service: undefined },
  ],
  ['Basic', { kind: 'basic' }],
  ['Negotiate', undefined],
  ['Bearer', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j is read', (header, challenge) => {
  expect(parseChallenge(header)).toEqual(challenge);
});

it.each([
  ['https://auth.example/token', 'https://old.example', true],
  ['http://auth.example/token', 'http://old.example', true],
  ['http://thief.example/token', 'https://old.example', false],
  ['/token', 'https://old.example', false],
])('tokens from %s for %s: %s', (realm, url, allowed) => {
  if (allowed) expect(realmAddress(realm, url).href).toBe(realm);
  else expect(() => realmAddress(realm, url)).toThrow('for tokens');
});
