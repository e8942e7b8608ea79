import { Field } from '../../lib/fields.ts';

/** A list as a variable holds it; empty text is an empty one. @throws the field's code */
export function jsonList(field: Field): Field {
  const text = field.string();
  if (text === '') return new Field([], field.path, field.code);
  try {
    return new Field(JSON.parse(text), field.path, field.code);
  } catch (cause) {
    throw field.error('must be a JSON list', { cause });
  }
}
