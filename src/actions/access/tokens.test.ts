import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseScopes, type TokenScope } from './tokens.ts';

const name = fc.stringMatching(/^[a-z0-9]{1,8}(\/[a-z0-9]{1,8}){0,3}(:[0-9]{1,4})?$/);
const scope = fc.record({
  type: fc.constantFrom('repository', 'registry', 'repository(plugin)'),
  name,
  actions: fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', '*'), { minLength: 1 }),
});
const text = ({ type, name: of, actions }: TokenScope) => `${type}:${of}:${actions.join(',')}`;

describe('scopes', () => {
  it('are read as they are written, one for each name, however they are put together', () => {
    const scopes = fc.uniqueArray(scope, { selector: (one) => `${one.type}:${one.name}`, maxLength: 10 });
    fc.assert(
      fc.property(scopes, fc.nat(10), (asked, cut) => {
        const words = asked.map(text);
        expect(parseScopes(words)).toEqual(asked);
        expect(parseScopes([words.slice(0, cut).join(' '), words.slice(cut).join('  ')])).toEqual(asked);
        expect(parseScopes([...words, ...words])).toEqual(asked);
      }),
    );
  });

  it('are never an error for being malformed, and never hold what nobody wrote', () => {
    const malformed = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a:,*/ ()') }));
    fc.assert(
      fc.property(malformed, (written) => {
        fc.pre(written.split(' ').length <= 100);
        for (const found of parseScopes([written])) expect(written).toContain(`${found.type}:${found.name}:`);
      }),
    );
  });
});
