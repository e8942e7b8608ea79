import parse from 'spdx-expression-parse';

/** A licence as SPDX expressions have it in their leaves. */
export interface Licence {
  /** `GPL-2.0-only`, `LicenseRef-acme` */
  readonly id: string;
  /** Of ids that don't say it themselves (`EPL-1.0+`). */
  readonly orLater: boolean;
  readonly exception: string | undefined;
}

export type Expression =
  | { readonly kind: 'licence'; readonly licence: Licence }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly [Expression, Expression] };

/** Stands in an expression for a part that was not understood. It may be any licence. */
export const unknownLicence = 'LicenseRef-unknown';

/** undefined for what is no expression of SPDX 2.3, annex D. */
export function parseExpression(text: string): Expression | undefined {
  try {
    return expressionOf(parse(text));
  } catch {
    return undefined; // the parser says why in words for its author; whoever asks needs to know only whether
  }
}

function expressionOf(info: parse.Info): Expression {
  if ('conjunction' in info)
    return { kind: info.conjunction, parts: [expressionOf(info.left), expressionOf(info.right)] };
  const { license: id, plus = false, exception } = info;
  return { kind: 'licence', licence: { id, orLater: plus, exception } };
}

/** Every licence that it names, at whatever place. */
export function licencesIn(expression: Expression): readonly Licence[] {
  if (expression.kind === 'licence') return [expression.licence];
  return expression.parts.flatMap(licencesIn);
}

/** Whether `asked` means `found`: the same licence; one that is asked without an exception is meant with any. */
export function isNamed(asked: Licence, found: Licence): boolean {
  return (
    asked.id === found.id &&
    asked.orLater === found.orLater &&
    (asked.exception === undefined || asked.exception === found.exception)
  );
}

/**
 * Whether these terms can be met under nothing but the allowed licences: of a choice one is enough, of what applies
 * together all are needed. undefined: it depends on a part that nobody understood.
 */
export function isSatisfied(expression: Expression, allowed: readonly Licence[]): boolean | undefined {
  if (expression.kind === 'licence') {
    if (expression.licence.id === unknownLicence) return undefined;
    return allowed.some((one) => covers(one, expression.licence));
  }
  const [left, right] = expression.parts.map((part) => isSatisfied(part, allowed));
  const decides = expression.kind === 'or';
  if (left === decides || right === decides) return decides;
  return left === undefined || right === undefined ? undefined : !decides;
}

/** `GPL-2.0-or-later` covers, and is met under, `GPL-3.0-only`: one of the versions that both mean is enough. */
function covers(allowed: Licence, found: Licence): boolean {
  if (allowed.exception !== found.exception) return false;
  if (allowed.id === found.id) return true;
  const [a, b] = [versionsOf(allowed), versionsOf(found)];
  if (a === undefined || b === undefined || a.family !== b.family) return false;
  const order = compareVersions(a.from, b.from);
  if (order === 0) return true;
  return order < 0 ? a.orLater : b.orLater;
}

interface Versions {
  readonly family: string;
  readonly from: readonly number[];
  readonly orLater: boolean;
}

/** undefined for ids that have no version, or more than a version at their end. */
function versionsOf({ id, orLater }: Licence): Versions | undefined {
  const [, family, version, suffix] = /^(.+?)-(\d+(?:\.\d+)*)(-only|-or-later)?$/.exec(id) ?? [];
  if (family === undefined || version === undefined) return undefined;
  return { family, from: version.split('.').map(Number), orLater: orLater || suffix === '-or-later' };
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
