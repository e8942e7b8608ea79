import { describe, expect, it } from 'vitest';
import { cursorText, parseCursor } from './cursor.ts';

describe('a cursor', () => {
  it.each(['', 'usr/bin/ls', 'ü/\u0000/😀'])('gives back the key it was made of: %j', (text) => {
    expect(parseCursor(cursorText({ text, ids: [3, 0] }), 2)).toEqual({ text, ids: [3, 0] });
  });

  it.each([
    ['nonsense', 'x'],
    ['another list’s', cursorText({ text: 'a', ids: [1] })],
    ['a fraction', Buffer.from('["a",1,0.5]').toString('base64url')],
    ['an object', Buffer.from('{"text":"a"}').toString('base64url')],
    ['endless', 'A'.repeat(100_000)],
  ])('that is %s is refused', (_, cursor) => {
    expect(() => parseCursor(cursor, 2)).toThrowError(expect.objectContaining({ code: 'invalid' }));
  });
});
