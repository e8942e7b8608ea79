/** `quarantine` is read ahead and committed at once by followers; `content` follows in order; `local` stays here. */
export type Lane = 'quarantine' | 'content' | 'local';

/** A fact, never a command. `type` without the `io.lazaret.` and `.v1` that frame it outside: `manifest.pushed`. */
export interface NewEvent {
  readonly type: string;
  readonly lane: Lane;
  readonly account?: string | undefined;
  /** What it is about: `acme/shop@sha256:…`, `Q-1`. */
  readonly subject: string;
  readonly actor: string;
  /** The event that led to this one. */
  readonly cause?: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface LogEvent {
  readonly position: number;
  readonly id: string;
  readonly origin: string;
  readonly type: string;
  readonly lane: Lane;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly account: string | null;
  readonly subject: string;
  readonly actor: string;
  readonly cause: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}
