/**
 * A kind of secret, as a rule: where text that may be one is looked at more closely, and what is one. The rule is run
 * only around an anchor, over at most `before + after` bytes, so that its cost has a bound whatever the text is.
 */
export interface SecretKind {
  /** Stays the same for ever: rows and criteria carry it. */
  readonly id: string;
  /** For people: `GitHub token`. */
  readonly title: string;
  /** Texts of which each match has one, compared without case; three characters or more, of ASCII. */
  readonly anchors: readonly string[];
  /** Global, over Latin-1; the group `value` is the secret. */
  readonly pattern: RegExp;
  /** Bytes that a match may begin before its anchor; 1 where it only looks at what is in front of it. */
  readonly before: number;
  /** Bytes of a match from its anchor's start on, with the one behind it that is looked at. */
  readonly after: number;
  /** What only files with such paths have. */
  readonly paths?: RegExp;
  /** Bits per character that the value must have, by Shannon: `xxxxxxxx` has 0, random base64 of 40 about 4.7. */
  readonly entropyMin?: number;
  /** The secret in the form that is fingerprinted, whatever way it was written down; undefined if it is none. */
  readonly read?: (match: RegExpExecArray) => string | undefined;
}

export interface FoundSecret {
  readonly kind: string;
  /** From 1, where the match begins. */
  readonly line: number;
  /** Latin-1. Never stored, logged or sent: only its fingerprint is. */
  readonly value: string;
}

/** A token that is told by its own beginning: not in the midst of a longer word, in front or behind. */
export function tokenPattern(token: string, flags = ''): RegExp {
  return new RegExp(`(?<![A-Za-z0-9_-])(?<value>${token})(?![A-Za-z0-9_-])`, `g${flags}`);
}

/** `name = "value"`, as in configuration of all sorts, JSON, YAML, code and shells. */
export function assignmentPattern(name: string, value: string, flags = 'i'): RegExp {
  return new RegExp(
    `(?:${name})["']?[ \\t]{0,4}(?::=|=>|[=:,])[ \\t]{0,4}["']?(?<value>${value})(?![A-Za-z0-9_+/=-])`,
    `g${flags}`,
  );
}
