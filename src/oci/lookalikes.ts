import type { Field } from '../lib/fields.ts';

/**
 * Refuses a member that differs from a known one only in case. Go programs take `Layers` for `layers`: they would run what
 * nobody here has looked at.
 * @throws the field's code
 */
export function refuseLookalikes(field: Field, known: readonly string[]): void {
  const folded = new Map(known.map((key) => [fold(key), key]));
  for (const key of Object.keys(field.object())) {
    const meant = folded.get(fold(key));
    if (meant !== undefined && meant !== key)
      throw field.member(key).error(`would be read as '${meant}' by some clients`);
  }
}

/** As Go compares the names of members, with the long s and the sign of the kelvin. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
