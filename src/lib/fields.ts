import { type ErrorCode, LazaretError } from './errors.ts';

/**
 * A value of a document that came from outside, with the path at which it was found: `criteria.all[1].package.purl`.
 * Each reader either returns what it promises or throws a LazaretError of the document's code whose message begins
 * with the path and whose `detail.path` is the path. Reading never changes or coerces a value.
 */
export class Field {
  readonly value: unknown;
  readonly path: string;
  readonly code: ErrorCode;

  constructor(value: unknown, path: string, code: ErrorCode = 'invalid') {
    this.value = value;
    this.path = path;
    this.code = code;
  }

  /** The error to throw for this value; `problem` continues the sentence that the path begins. */
  error(problem: string, options: { detail?: Record<string, unknown>; cause?: unknown } = {}): LazaretError {
    const detail = { path: this.path, ...options.detail };
    return new LazaretError(this.code, `${this.path}: ${problem}`, { detail, cause: options.cause });
  }

  object(): Readonly<Record<string, unknown>> {
    if (isRecord(this.value)) return this.value;
    throw this.error(`must be an object, not ${kindOf(this.value)}`);
  }

  /** The keys of an object that may have no others than `known`. */
  keys(known: readonly string[]): readonly string[] {
    const keys = Object.keys(this.object());
    for (const key of keys) if (!known.includes(key)) throw this.unknownKey(key, known);
    return keys;
  }

  unknownKey(key: string, known: readonly string[]): LazaretError {
    const near = nearest(key, known);
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'?`;
    return this.#under(key, undefined).error(
      `unknown key; ${hint}`,
      near === undefined ? {} : { detail: { suggestion: near } },
    );
  }

  /** A member that must be there. */
  member(key: string): Field {
    const found = this.optional(key);
    if (found === undefined) throw this.#under(key, undefined).error('is missing');
    return found;
  }

  optional(key: string): Field | undefined {
    const object = this.object();
    return Object.hasOwn(object, key) && object[key] !== undefined
      ? this.#under(key, object[key])
      : undefined;
  }

  /** Like `optional`, where a `null`, as Go programs write for an empty list, also means absent. */
  optionalOrNull(key: string): Field | undefined {
    const found = this.optional(key);
    return found?.value === null ? undefined : found;
  }

  items(countMax: number): readonly Field[] {
    if (!Array.isArray(this.value)) throw this.error(`must be a list, not ${kindOf(this.value)}`);
    if (this.value.length > countMax)
      throw this.error(`has ${this.value.length} entries; at most ${countMax} are allowed`);
    return this.value.map((item: unknown, index) => new Field(item, `${this.path}[${index}]`, this.code));
  }

  /** At most `lengthMax` UTF-16 units. */
  string(lengthMax = 65_536): string {
    if (typeof this.value !== 'string') throw this.error(`must be text, not ${kindOf(this.value)}`);
    if (this.value.length > lengthMax) throw this.error(`is longer than ${lengthMax} characters`);
    return this.value;
  }

  /** Text that is not empty. */
  text(lengthMax?: number): string {
    const text = this.string(lengthMax);
    if (text === '') throw this.error('must not be empty');
    return text;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.error(`must be true or false, not ${kindOf(this.value)}`);
    return this.value;
  }

  /** An integer that is 0 or more and exact in a double. */
  count(): number {
    if (typeof this.value === 'number' && Number.isSafeInteger(this.value) && this.value >= 0)
      return this.value;
    throw this.error('must be an integer that is 0 or more');
  }

  oneOf<const Word extends string>(words: readonly Word[]): Word {
    const text = this.string();
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    const near = nearest(text, words);
    throw this.error(
      near === undefined
        ? `must be one of ${words.join(', ')}`
        : `must be one of ${words.join(', ')}; did you mean '${near}'?`,
    );
  }

  /** A map from text to text of at most `bytesMax` bytes together. */
  stringMap(bytesMax: number): Readonly<Record<string, string>> {
    let bytes = 0;
    const entries = Object.keys(this.object()).map((key) => {
      const text = this.member(key).string(bytesMax);
      bytes += Buffer.byteLength(key) + Buffer.byteLength(text);
      return [key, text] as const;
    });
    if (bytes > bytesMax) throw this.error(`is ${bytes} bytes; at most ${bytesMax} are allowed`);
    return Object.fromEntries(entries);
  }

  #under(key: string, value: unknown): Field {
    const plain = /^[A-Za-z_$][\w$-]*$/.test(key);
    return new Field(
      value,
      plain ? `${this.path}.${key}` : `${this.path}[${JSON.stringify(key.slice(0, 200))}]`,
      this.code,
    );
  }
}

/** UTF-8 JSON as a field called `path`. @throws code, also for bytes that are not UTF-8 */
export function parseJsonField(bytes: Uint8Array, path: string, code: ErrorCode = 'invalid'): Field {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return new Field(value, path, code);
  } catch (cause) {
    throw new LazaretError(code, `${path}: is not valid JSON`, { detail: { path }, cause });
  }
}

/** The candidate that differs by the fewest edits, if so few that a slip of the hand explains them. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const allowed = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  let best: { word: string; edits: number } | undefined;
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= allowed && (best === undefined || edits < best.edits)) best = { word: candidate, edits };
  }
  return best?.word;
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
