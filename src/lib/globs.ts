/**
 * Globs over repositories and paths: `*` is any characters within a segment, `?` one, `**` as a whole segment any
 * number of segments (none too, but at the end at least one: `acme/**` is what lies below `acme`), `{a,b}` either, and
 * may hold braces itself; `\` takes the next character as it is. All else, also `.` at the start of a name, is itself.
 * Braces are expanded before the rest is read, as in a shell.
 *
 * Globs come from outside and are tried on millions of paths, so no regular expression of JavaScript matches them: matching
 * only ever goes back to the last `*` and the last `**`. Its cost is bounded by the product of both lengths, never
 * exponential.
 */
import { LazaretError } from './errors.ts';
import { limits } from './limits.ts';

const one = Symbol('?');
const many = Symbol('*');
const segments = Symbol('**');

/** A character, or what stands for one or many. */
type Token = string | typeof one | typeof many;
type Segment = readonly Token[] | typeof segments;
type Alternative = readonly Segment[];

/** @throws invalid if the glob is empty, over a limit or has a brace without its partner */
export function globMatcher(glob: string): (text: string) => boolean {
  const alternatives = parse(glob);
  return (text) => {
    const parts = text.split('/');
    return alternatives.some((alternative) => segmentsMatch(alternative, parts));
  };
}

/** Whether it stands for one text, itself. */
export function isLiteralGlob(glob: string): boolean {
  return !/[*?[{\\]/.test(glob);
}

/** The globs without braces that it is short for. @throws invalid as `globMatcher` */
export function globAlternatives(glob: string): readonly string[] {
  parse(glob);
  const alternatives: string[] = [];
  expandBraces(glob, glob, alternatives);
  return alternatives;
}

/** What every text that matches begins with, for use with an index; may be empty. @throws invalid as `globMatcher` */
export function globPrefix(glob: string): string {
  return parse(glob).map(literalStart).reduce(commonStart);
}

/**
 * As an advanced regular expression of POSIX, for texts whose segments are not empty, and for an engine that goes through a
 * text once, whatever the expression. @throws invalid as `globMatcher`
 */
export function globExpression(glob: string): string {
  return `^(?:${parse(glob).map(expressionOf).join('|')})$`;
}

function parse(glob: string): Alternative[] {
  if (glob === '') throw invalid(glob, 'a glob may not be empty');
  if (glob.length > limits.globLengthMax)
    throw invalid(`${glob.slice(0, 40)}…`, `a glob has at most ${limits.globLengthMax} characters`);
  const alternatives: string[] = [];
  expandBraces(glob, glob, alternatives);
  return alternatives.map((alternative) => alternative.split('/').map(parseSegment));
}

function expandBraces(text: string, glob: string, found: string[]): void {
  const braces = firstBraces(text, glob);
  if (braces === undefined) {
    if (found.length >= limits.globAlternativesMax)
      throw invalid(glob, `the braces of a glob give at most ${limits.globAlternativesMax} alternatives`);
    found.push(text);
    return;
  }
  const { open, commas, close } = braces;
  const cuts = [open, ...commas, close];
  for (const [at, cut] of cuts.slice(0, -1).entries())
    expandBraces(
      text.slice(0, open) + text.slice(cut + 1, cuts[at + 1]) + text.slice(close + 1),
      glob,
      found,
    );
}

/** The positions of the first outermost `{`, of its own commas and of its `}`. */
function firstBraces(
  text: string,
  glob: string,
): { open: number; commas: number[]; close: number } | undefined {
  let open = -1;
  let depth = 0;
  const commas: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '{') {
      if (depth === 0) open = at;
      depth += 1;
    } else if (char === ',' && depth === 1) commas.push(at);
    else if (char === '}') {
      depth -= 1;
      if (depth < 0) throw invalid(glob, 'a } has no {');
      if (depth === 0) return { open, commas, close: at };
    }
  }
  if (depth > 0) throw invalid(glob, 'a { has no }');
  return undefined;
}

function parseSegment(text: string): Segment {
  if (text === '**') return segments;
  const tokens: Token[] = [];
  const chars = [...text];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? '';
    if (char === '\\' && at + 1 < chars.length) {
      at += 1;
      tokens.push(chars[at] ?? '');
    } else if (char === '?') tokens.push(one);
    else if (char !== '*') tokens.push(char);
    else if (tokens.at(-1) !== many) tokens.push(many);
  }
  return tokens;
}

function segmentsMatch(pattern: Alternative, parts: readonly string[]): boolean {
  let at = 0;
  let part = 0;
  let retryAt = -1;
  let retryPart = 0;
  while (part < parts.length) {
    const segment = pattern[at];
    if (segment === segments) {
      at += 1;
      // At the end it takes the rest, of which there is some.
      if (at === pattern.length) return true;
      retryAt = at;
      retryPart = part;
    } else if (segment !== undefined && charsMatch(segment, parts[part] ?? '')) {
      at += 1;
      part += 1;
    } else if (retryAt >= 0) {
      retryPart += 1;
      part = retryPart;
      at = retryAt;
    } else return false;
  }
  return at === pattern.length;
}

function charsMatch(pattern: readonly Token[], text: string): boolean {
  if (text === '') return pattern.length === 0;
  // Characters, not halves of surrogate pairs, as SQL counts them.
  const chars: ArrayLike<string> = /[\ud800-\udfff]/.test(text) ? [...text] : text;
  let at = 0;
  let char = 0;
  let retryAt = -1;
  let retryChar = 0;
  while (char < chars.length) {
    const token = pattern[at];
    if (token === many) {
      at += 1;
      retryAt = at;
      retryChar = char;
    } else if (token === one || (token !== undefined && token === chars[char])) {
      at += 1;
      char += 1;
    } else if (retryAt >= 0) {
      retryChar += 1;
      char = retryChar;
      at = retryAt;
    } else return false;
  }
  return pattern.slice(at).every((token) => token === many);
}

function expressionOf(alternative: Alternative): string {
  const last = alternative.length - 1;
  const parts = alternative.map((segment, at) => {
    if (segment === segments) return at === last ? '.+' : '(?:.*/)?';
    const isAny = segment.length === 1 && segment[0] === many;
    return `${isAny ? '[^/]+' : segment.map(expressionOfToken).join('')}${at === last ? '' : '/'}`;
  });
  // Of several `**` one is enough.
  return parts.filter((part, at) => part !== '(?:.*/)?' || part !== parts[at - 1]).join('');
}

function expressionOfToken(token: Token): string {
  if (token === one) return '[^/]';
  if (token === many) return '[^/]*';
  return /[\w\u0080-\u{10ffff}]/u.test(token) ? token : `\\${token}`;
}

function literalStart(alternative: Alternative): string {
  let start = '';
  for (const [at, segment] of alternative.entries()) {
    if (at > 0) start += '/';
    if (segment === segments) return start;
    for (const token of segment) {
      if (typeof token !== 'string') return start;
      start += token;
    }
  }
  return start;
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}

function invalid(glob: string, message: string): LazaretError {
  return new LazaretError('invalid', message, { detail: { glob } });
}
