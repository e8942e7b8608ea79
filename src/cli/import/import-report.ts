import { causeChain, LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type ExitCode, worseExit } from '../io.ts';

/**
 * What became of everything that the source has. Nothing counts as done on a guess: *present* is what the destination
 * said it has, *copied* what it has acknowledged; all else is a difference, with its reason.
 */
export type Kind = 'tag' | 'manifest' | 'referrer' | 'blob';

/** Why something is not at the destination: not at the source either, wrong there, not let in, or not done. */
export type Lack = 'absent' | 'damaged' | 'refused' | 'failed';

export interface Difference {
  /** At the destination. */
  readonly repository: string;
  /** `tag 1.2`, `blob sha256:…`. */
  readonly what: string;
  readonly lack: Lack;
  readonly reason: string;
}

export type Why = Pick<Difference, 'lack' | 'reason'>;

export interface KindCounts {
  readonly copied: number;
  readonly present: number;
  readonly lacking: number;
}

export interface RepositoryReport {
  /** At the destination. */
  readonly repository: string;
  readonly tags: KindCounts;
  readonly manifests: KindCounts;
  readonly referrers: KindCounts;
  readonly blobs: KindCounts;
  /** Of the blobs copied: those that the server had in another repository. */
  readonly mounted: number;
  /** Layers that are fetched from elsewhere, and that the source does not have. */
  readonly foreign: number;
  /** What was sent, or in a dry run would be. */
  readonly copiedBytes: number;
}

export interface ImportReport {
  readonly source: string;
  readonly destination: string;
  /** What is special about the source. */
  readonly remark: string | null;
  readonly dryRun: boolean;
  readonly complete: boolean;
  readonly tookMs: number;
  readonly repositories: readonly RepositoryReport[];
  readonly differences: readonly Difference[];
  /** Differences beyond the limit, which are only counted. */
  readonly differencesLeftOut: number;
}

type Counts = { copied: number; present: number; lacking: number };

export class RepositoryTally {
  readonly repository: string;
  readonly #counts = { tag: zero(), manifest: zero(), referrer: zero(), blob: zero() };
  mounted = 0;
  foreign = 0;
  copiedBytes = 0;

  constructor(repository: string) {
    this.repository = repository;
  }

  count(kind: Kind, became: keyof Counts): void {
    this.#counts[kind][became] += 1;
  }

  report(): RepositoryReport {
    const { tag: tags, manifest: manifests, referrer: referrers, blob: blobs } = this.#counts;
    const { repository, mounted, foreign, copiedBytes } = this;
    return { repository, tags, manifests, referrers, blobs, mounted, foreign, copiedBytes };
  }
}

export class Differences {
  readonly #found: Difference[] = [];
  leftOut = 0;
  #worst: ExitCode = 0;

  add(difference: Difference): void {
    this.#worst = worseExit(this.#worst, exits[difference.lack]);
    const what = printable(difference.what);
    if (this.#found.length < limits.importDifferencesMax) this.#found.push({ ...difference, what });
    else this.leftOut += 1;
  }

  /** By repository; within one as they were found. */
  sorted(): readonly Difference[] {
    return this.#found.toSorted((a, b) =>
      a.repository < b.repository ? -1 : a.repository > b.repository ? 1 : 0,
    );
  }

  get exit(): ExitCode {
    return this.#worst;
  }
}

const exits = { failed: 1, refused: 2, absent: 3, damaged: 3 } as const;

/** What an error of either side means for the one object that it is about. @throws what is a defect, or an abort */
export function lackOf(error: unknown): Why {
  if (!(error instanceof LazaretError)) throw error;
  return { lack: lacks[error.code] ?? 'failed', reason: printable(causeText(error)) };
}

const lacks: Partial<Record<LazaretError['code'], Lack>> = {
  quarantined: 'refused',
  denied: 'refused',
  readOnlyReplica: 'refused',
  blobUnknown: 'absent',
  manifestBlobUnknown: 'absent',
  digestInvalid: 'damaged',
  sizeInvalid: 'damaged',
  manifestInvalid: 'damaged',
  manifestTooLarge: 'damaged',
  nameInvalid: 'damaged',
};

function causeText(error: LazaretError): string {
  return error.code === 'unavailable' ? causeChain(error) : error.message;
}

/** Names and messages of others go to a terminal: without what would move its cursor. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').slice(0, textMax);
}

const textMax = 1_000;

function zero(): Counts {
  return { copied: 0, present: 0, lacking: 0 };
}
