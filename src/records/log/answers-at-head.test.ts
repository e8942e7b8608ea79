import { expect, it } from 'vitest';
import { AnswersAtHead } from './answers-at-head.ts';

it('gives an answer while the log stands at the head that was read before it was made', () => {
  const answers = new AnswersAtHead<string>({ entries: 10 });
  answers.keep(5, 'a', 'open');
  expect(answers.get(5, 'a')).toBe('open');
  expect(answers.get(5, 'b')).toBeUndefined();
  expect(answers.get(6, 'a')).toBeUndefined();
});

it('gives nothing to, and takes nothing from, whoever read a head that was overtaken', () => {
  const answers = new AnswersAtHead<string>({ entries: 10 });
  answers.keep(6, 'a', 'new');
  expect(answers.get(5, 'a')).toBeUndefined();
  answers.keep(5, 'a', 'old');
  answers.keep(5, 'b', 'old');
  expect(answers.get(6, 'a')).toBe('new');
  expect(answers.get(6, 'b')).toBeUndefined();
});

it('lets go of what was not asked for for longest, by number and by size', () => {
  const few = new AnswersAtHead<string>({ entries: 2 });
  for (const key of ['a', 'b']) few.keep(1, key, key);
  few.get(1, 'a');
  few.keep(1, 'c', 'c');
  expect(['a', 'b', 'c'].map((key) => few.get(1, key))).toEqual(['a', undefined, 'c']);

  const small = new AnswersAtHead<string>({ entries: 10, bytes: 10 });
  small.keep(1, 'a', 'a', 6);
  small.keep(1, 'a', 'a again', 7);
  small.keep(1, 'b', 'b', 3);
  small.keep(1, 'too large', 'c', 11);
  expect(['a', 'b', 'too large'].map((key) => small.get(1, key))).toEqual(['a again', 'b', undefined]);
  small.keep(1, 'd', 'd', 5);
  expect(['a', 'b', 'd'].map((key) => small.get(1, key))).toEqual([undefined, 'b', 'd']);
  small.keep(2, 'e', 'e', 10);
  expect(small.get(2, 'e')).toBe('e');
});
