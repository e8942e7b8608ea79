import { expect, test } from 'vitest';
import { chainIds } from './chain-id.ts';
import { digestOf } from './digest.ts';

test('the id of layers is that of the ones below and of the topmost, as the specification has it', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text));
  const ab = digestOf(`${a} ${b}`);
  expect(chainIds([a ?? '', b ?? '', c ?? ''])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
  expect(chainIds([])).toEqual([]);
});
