import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { VersionScheme } from './version-scheme.ts';

export interface VersionRange {
  /** As it was written. */
  readonly text: string;
  /** False for a version that is not valid in the scheme, except in the range `*`. */
  matches(version: string): boolean;
  /** False for a version that is not valid in the scheme, unless the range is `*`: nobody knows whether it is inside. */
  canTell(version: string): boolean;
}

/**
 * Two notations. Constraints separated by white space must all hold: `>=1.0.0 <2.0.0`, `<4.17.21`, `1.2.3`, `==1.2.3`. With
 * `vers:<type>/` in front or `|` between them they are a version range specifier, whose constraints, sorted by version,
 * bound intervals: `vers:npm/>=1.0.0|<1.4.2|>=2.0.0|<2.1.0`. `*` is every version.
 * @throws invalid
 */
export function parseVersionRange(text: string, scheme: VersionScheme): VersionRange {
  if (text.length > limits.versionRangeLengthMax)
    throw invalid(text, `it is longer than ${limits.versionRangeLengthMax} characters`);
  const specifier = stripType(text.trim(), scheme);
  const body = specifier ?? text.trim();
  if (body === '*') return { text, matches: () => true, canTell: () => true };
  if (body === '') throw invalid(text, 'it is empty');
  const piped = specifier !== undefined || body.includes('|');
  const parts = piped ? body.split('|') : joinOperators(body).split(/[\s,]+/);
  const constraints = parts.map((part) =>
    parseConstraint(part, { text, scheme, encoded: specifier !== undefined }),
  );
  const test = piped ? specifierTest(constraints, text, scheme) : everyTest(constraints, scheme);
  const { isValid } = scheme;
  return { text, matches: (version) => isValid(version) && test(version), canTell: isValid };
}

type Operator = '<' | '<=' | '>' | '>=' | '=' | '!=';
interface Constraint {
  readonly operator: Operator;
  readonly version: string;
}
type Test = (version: string) => boolean;

function stripType(text: string, scheme: VersionScheme): string | undefined {
  if (!text.startsWith('vers:')) return undefined;
  const slash = text.indexOf('/');
  const type = text.slice('vers:'.length, slash);
  if (slash === -1) throw invalid(text, `it should read vers:${scheme.purlType}/…`);
  if (type !== scheme.purlType)
    throw invalid(text, `it is of type '${type}' where '${scheme.purlType}' is meant`);
  return text.slice(slash + 1);
}

/** `>= 1.0` means `>=1.0`. */
function joinOperators(text: string): string {
  return text.replace(/([<>=!])\s+(?=[^<>=!\s])/g, '$1');
}

function parseConstraint(
  part: string,
  from: { text: string; scheme: VersionScheme; encoded: boolean },
): Constraint {
  // An epoch of PEP 440 has an exclamation mark: `2!1.0`.
  const match = /^\s*(<=|>=|!=|==|<|>|=)?\s*([^<>=|\s]+)\s*$/.exec(part);
  if (match?.[2] === undefined)
    throw invalid(
      from.text,
      part.trim() === '' ? 'a constraint is empty' : `'${part}' is not a constraint such as >=1.2.3`,
    );
  const version = from.encoded ? decode(match[2], from.text) : match[2];
  if (!from.scheme.isValid(version))
    throw invalid(from.text, `'${version}' is not a version of ${from.scheme.ecosystem}`);
  return { operator: toOperator(match[1]), version };
}

function toOperator(text: string | undefined): Operator {
  const operators: readonly Operator[] = ['<', '<=', '>', '>=', '!='];
  return operators.find((operator) => operator === text) ?? '=';
}

function decode(version: string, text: string): string {
  try {
    return decodeURIComponent(version);
  } catch (cause) {
    throw invalid(text, `'${version}' is wrongly percent-encoded`, cause);
  }
}

function everyTest(constraints: readonly Constraint[], scheme: VersionScheme): Test {
  return (version) => constraints.every((constraint) => holds(constraint, version, scheme));
}

function holds({ operator, version: bound }: Constraint, version: string, scheme: VersionScheme): boolean {
  const order = scheme.compare(version, bound);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
  }
}

/**
 * The bounds, sorted, must alternate between lower and upper ones, so that each pair is an interval; an upper one that
 * comes first and a lower one that comes last are open. `=` adds a version, `!=` takes one away.
 */
function specifierTest(constraints: readonly Constraint[], text: string, scheme: VersionScheme): Test {
  const sorted = constraints.toSorted((a, b) => scheme.compare(a.version, b.version));
  for (const [index, next] of sorted.entries()) {
    const previous = sorted[index - 1];
    if (previous !== undefined && scheme.compare(previous.version, next.version) === 0)
      throw invalid(text, `the version ${next.version} is named twice`);
  }
  const excluded = sorted.filter(({ operator }) => operator === '!=');
  const exact = sorted.filter(({ operator }) => operator === '=');
  const intervals = toIntervals(
    sorted.filter(({ operator }) => operator !== '=' && operator !== '!='),
    text,
  );
  const open = exact.length === 0 && intervals.length === 0;
  return (version) => {
    if (!excluded.every((constraint) => holds(constraint, version, scheme))) return false;
    if (open || exact.some((constraint) => holds(constraint, version, scheme))) return true;
    return intervals.some((bounds) => bounds.every((bound) => holds(bound, version, scheme)));
  };
}

function toIntervals(bounds: readonly Constraint[], text: string): readonly (readonly Constraint[])[] {
  const intervals: Constraint[][] = [];
  let lower: Constraint | undefined;
  for (const [index, bound] of bounds.entries()) {
    const isLower = bound.operator.startsWith('>');
    if (isLower === (lower !== undefined) && (isLower || index > 0))
      throw invalid(text, `two ${isLower ? 'lower' : 'upper'} bounds follow each other at ${bound.version}`);
    if (!isLower) intervals.push(lower === undefined ? [bound] : [lower, bound]);
    lower = isLower ? bound : undefined;
  }
  if (lower !== undefined) intervals.push([lower]);
  return intervals;
}

function invalid(text: string, problem: string, cause?: unknown): LazaretError {
  return new LazaretError('invalid', `'${text.slice(0, 200)}' is not a version range: ${problem}`, { cause });
}
