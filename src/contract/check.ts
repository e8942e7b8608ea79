import type { Static, TSchema } from 'typebox';
import { LazaretError } from '../lib/errors.ts';

/** Validation is loaded when first used, so that starting a server or a command does not wait for it. */
const loadValue = () => import('typebox/value');

export interface CheckOptions {
  /** What the value is, as the error's path begins: `body`, `query`. */
  readonly where: string;
  /** The value was text (a path, a query): `12` may become a number, one value a list of one. */
  readonly convert?: boolean;
}

/** `value`, with defaults filled in, if it has the shape of `schema`. @throws invalid, with `detail.path` */
export async function checked<S extends TSchema>(
  schema: S,
  value: unknown,
  options: CheckOptions,
): Promise<Static<S>> {
  const { Value } = await loadValue();
  const converted: unknown = options.convert ? Value.Convert(schema, value) : value;
  const filled: unknown = Value.Default(schema, converted);
  if (Value.Check(schema, filled)) return filled;
  const [first] = [...Value.Errors(schema, filled)].sort(
    (a, b) => depth(b.instancePath) - depth(a.instancePath),
  );
  const path = `${options.where}${dotted(first?.instancePath ?? '')}`;
  throw new LazaretError('invalid', `${path}: ${first?.message ?? 'does not have the expected shape'}`, {
    detail: { path },
  });
}

function depth(pointer: string): number {
  return pointer.split('/').length;
}

/** `/all/1/purl` → `.all[1].purl`. */
function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
}
