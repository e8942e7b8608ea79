import { describe, expect, it } from 'vitest';
import { LazaretError } from './errors.ts';
import { Field, nearest, parseJsonField } from './fields.ts';

function problem(read: () => unknown): { message: string; path: unknown; code: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof LazaretError)
      return { message: error.message, path: error.detail?.path, code: error.code };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('Field', () => {
  it('names the whole path of a wrong value', () => {
    const field = new Field({ layers: [{}, { 'io.example/key': 7 }] }, 'manifest', 'manifestInvalid');
    const wrong = problem(() => field.member('layers').items(5)[1]?.member('io.example/key').string());
    expect(wrong).toEqual({
      code: 'manifestInvalid',
      path: 'manifest.layers[1]["io.example/key"]',
      message: 'manifest.layers[1]["io.example/key"]: must be text, not a number',
    });
  });

  it('suggests the known key when an unknown one is close to it', () => {
    const field = new Field({ verisons: '1' }, 'criteria.package');
    expect(problem(() => field.keys(['purl', 'versions'])).message).toBe(
      "criteria.package.verisons: unknown key; did you mean 'versions'?",
    );
    expect(problem(() => field.keys(['purl'])).message).toContain('known are purl');
  });

  it('does not take inherited members for members of the document', () => {
    expect(new Field({}, 'x').optional('toString')).toBeUndefined();
    expect(problem(() => new Field({}, 'x').member('constructor')).message).toBe('x.constructor: is missing');
  });

  it.each([
    ['a list', (field: Field) => field.object(), [] as unknown],
    ['null', (field: Field) => field.object(), null],
    ['a list over its limit', (field: Field) => field.items(1), [1, 2]],
    ['an object as list', (field: Field) => field.items(1), {}],
    ['empty text', (field: Field) => field.text(), ''],
    ['text over its limit', (field: Field) => field.text(2), 'abc'],
    ['a negative count', (field: Field) => field.count(), -1],
    ['a fraction', (field: Field) => field.count(), 1.5],
    ['an inexact count', (field: Field) => field.count(), 2 ** 60],
    ['text as truth', (field: Field) => field.boolean(), 'true'],
    ['a word outside the list', (field: Field) => field.oneOf(['low', 'high']), 'hihg'],
    ['a map over its limit', (field: Field) => field.stringMap(3), { ab: 'cd' }],
    ['a map to numbers', (field: Field) => field.stringMap(30), { ab: 1 }],
  ])('refuses %s', (_, read, value) => {
    expect(problem(() => read(new Field(value, 'x'))).message).toMatch(/^x/);
  });

  it('refuses bytes that are no JSON or no UTF-8', () => {
    expect(problem(() => parseJsonField(Buffer.from('{'), 'x')).message).toBe('x: is not valid JSON');
    expect(problem(() => parseJsonField(Buffer.from([0x22, 0xff, 0x22]), 'x')).message).toBe(
      'x: is not valid JSON',
    );
  });

  it('finds no nearest word for one that is unlike all', () => {
    expect(nearest('wholly-different', ['purl', 'versions'])).toBeUndefined();
  });
});
