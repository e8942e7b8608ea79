import { LazaretError } from './errors.ts';
import { limits } from './limits.ts';

/** Where a page of a list ended that is in order of a text, and of numbers where texts are equal. */
export interface ListKey {
  readonly text: string;
  readonly ids: readonly number[];
}

/** Opaque to whoever is given it; good for a query string. */
export function cursorText({ text, ids }: ListKey): string {
  return Buffer.from(JSON.stringify([text, ...ids])).toString('base64url');
}

/** @param ids how many numbers the list's order has. @throws invalid if it is no cursor of such a list */
export function parseCursor(cursor: string, ids: number): ListKey {
  if (cursor.length <= limits.cursorLengthMax) {
    const [text, ...numbers] = listOf(Buffer.from(cursor, 'base64url').toString());
    const whole = numbers.filter((id) => typeof id === 'number').filter(Number.isSafeInteger);
    if (typeof text === 'string' && numbers.length === ids && whole.length === ids)
      return { text, ids: whole };
  }
  throw new LazaretError('invalid', 'after: not the `next` of a page of this list', {
    detail: { path: 'query.after' },
  });
}

function listOf(json: string): unknown[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // no JSON: no cursor either
  }
}
