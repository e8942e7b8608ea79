/**
 * Looks for secrets in one file whose bytes arrive in pieces of any size. What it finds depends on the bytes only, never
 * on how they were cut: the pieces are put together to windows that overlap by as much as the longest rule looks at.
 * A file that has a zero in its first 8 KiB is binary and is not looked at further.
 */
import { AnchorSearch } from './anchors.ts';
import { secretKinds } from './kinds.ts';
import { isPublished } from './published-places.ts';
import type { FoundSecret, SecretKind } from './secret-kind.ts';
import { entropy, isPlaceholder } from './values.ts';

const binaryLookBytes = 8 * 1024;
const windowBytes = 128 * 1024;
/** Different secrets of one file; more are no news. */
export const secretsOfFileMax = 100;

/** The rules for one file, and the search for where they are tried. */
interface Rules {
  readonly search: AnchorSearch;
  /** By the anchor's number. */
  readonly kinds: readonly SecretKind[];
}

const everywhere = rulesOf(secretKinds.filter(({ paths }) => paths === undefined));
const somewhere = secretKinds.filter(({ paths }) => paths !== undefined);
const beforeMax = Math.max(...secretKinds.map(({ before }) => before));
const afterMax = Math.max(...secretKinds.map(({ after }) => after));

export class SecretScan {
  /** More than `secretsOfFileMax` were there. */
  overflown = false;
  readonly #rules: Rules;
  readonly #found = new Map<string, FoundSecret>();
  #skipped: boolean;
  /** What was not looked at, or has to be kept for what comes; copied, since callers use their buffers again. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Of `#held`: what was searched for anchors already. */
  #searched = 0;
  #linesBefore = 0;
  #first = true;

  constructor(path: string) {
    this.#rules = rulesFor(path);
    this.#skipped = isPublished(path);
  }

  /** As far as was seen: it is looked at to its end. */
  get isText(): boolean {
    return !this.#skipped;
  }

  push(bytes: Uint8Array): void {
    if (this.#skipped) return;
    // Most large files are binary, and need no copy.
    if (
      bytes.length >= binaryLookBytes &&
      this.#heldBytes === 0 &&
      this.#isBinary(Buffer.from(bytes.buffer, bytes.byteOffset, binaryLookBytes))
    )
      return;
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
    if (this.#heldBytes < windowBytes + afterMax) return;
    const window = Buffer.concat(this.#held, this.#heldBytes);
    if (this.#isBinary(window)) return;
    const end = window.length - afterMax;
    this.#search(window, end);
    this.#keepFrom(window, Math.max(0, end - beforeMax), end);
  }

  /** All of the file in one piece, which is not kept; instead of `push`. */
  whole(bytes: Uint8Array): void {
    if (this.#skipped) return;
    const window = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (!this.#isBinary(window)) this.#search(window, window.length);
    this.#skipped = true;
  }

  end(): readonly FoundSecret[] {
    if (!this.#skipped && this.#heldBytes > 0) this.whole(Buffer.concat(this.#held, this.#heldBytes));
    this.#held = [];
    return [...this.#found.values()];
  }

  #isBinary(window: Buffer): boolean {
    if (!this.#first) return false;
    this.#first = false;
    if (!window.subarray(0, binaryLookBytes).includes(0)) return false;
    this.#skipped = true;
    this.#held = [];
    return true;
  }

  #keepFrom(window: Buffer, from: number, searched: number): void {
    this.#linesBefore += lineEnds(window, from);
    this.#held = [Buffer.from(window.subarray(from))];
    this.#heldBytes = window.length - from;
    this.#searched = searched - from;
  }

  #search(window: Buffer, to: number): void {
    const { search, kinds } = this.#rules;
    search.search(window, { from: this.#searched, to }, (anchor, start) => {
      const kind = kinds[anchor];
      if (kind) this.#look(window, kind, start);
    });
  }

  #look(window: Buffer, kind: SecretKind, start: number): void {
    const from = Math.max(0, start - kind.before);
    const text = window.toString('latin1', from, Math.min(window.length, start + kind.after));
    for (const match of text.matchAll(kind.pattern)) {
      const value = secretOf(kind, match);
      if (value === undefined) continue;
      const line = 1 + this.#linesBefore + lineEnds(window, from + match.index + leadingLineEnd(match[0]));
      this.#keep({ kind: kind.id, line, value });
    }
  }

  /** One that is there several times counts once, where it is first. */
  #keep(secret: FoundSecret): void {
    const key = `${secret.kind} ${secret.value}`;
    const known = this.#found.get(key);
    if (known !== undefined && known.line <= secret.line) return;
    if (known === undefined && this.#found.size >= secretsOfFileMax) this.overflown = true;
    else this.#found.set(key, secret);
  }
}

/** What is in a text of few bytes. */
export function secretsIn(text: Uint8Array, path: string): readonly FoundSecret[] {
  const scan = new SecretScan(path);
  scan.whole(text);
  return scan.end();
}

/** Files of a kind of their own are few, and their words (`password`) too common to be looked for in all others. */
function rulesFor(path: string): Rules {
  const more = somewhere.filter(({ paths }) => paths?.test(path));
  return more.length === 0 ? everywhere : rulesOf([...everywhere.kinds, ...more]);
}

function rulesOf(kinds: readonly SecretKind[]): Rules {
  const anchored = [...new Set(kinds)].flatMap((kind) => kind.anchors.map((anchor) => ({ anchor, kind })));
  const search = new AnchorSearch(anchored.map(({ anchor }) => anchor));
  return { search, kinds: anchored.map(({ kind }) => kind) };
}

function secretOf(kind: SecretKind, match: RegExpExecArray): string | undefined {
  const value = kind.read === undefined ? match.groups?.value : kind.read(match);
  if (value === undefined || value === '') return undefined;
  if (kind.entropyMin !== undefined && (entropy(value) < kind.entropyMin || isPlaceholder(value)))
    return undefined;
  return value;
}

/** A pattern that begins with a line's end finds what is on the next line. */
function leadingLineEnd(text: string): number {
  return /^[\r\n]+/.exec(text)?.[0].length ?? 0;
}

function lineEnds(bytes: Buffer, to: number): number {
  let count = 0;
  for (let at = 0; at < to; at++) if (bytes[at] === 10) count += 1;
  return count;
}
