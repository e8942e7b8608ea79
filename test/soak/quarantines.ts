/**
 * What clients know of quarantines, and so what must, and what may, be refused. Times are milliseconds of this process.
 * From the acknowledgement until a release is asked for, refusing is a must; from the question until the release is
 * acknowledged it is allowed. Once its retention may have ended, what it reaches may be gone, also after the release.
 */
import type { Mark } from '../../src/records/marks/quarantines.ts';
import { accountOf, imagesOf, type Pushable, type Universe } from './universe.ts';

export interface Quarantine {
  readonly account: string | null;
  readonly marks: readonly Pick<Mark, 'target' | 'digest' | 'diffId' | 'repositoryGlob'>[];
  readonly askedAt: number;
  acknowledgedAt: number;
  /** The earliest end of its retention. */
  readonly retainedUntil: number;
  releaseAskedAt: number;
  releasedAt: number;
}

/** A stretch of time: of a request, from before it was sent until after its answer came. */
export interface Span {
  readonly startedAt: number;
  readonly endedAt: number;
}

export class Quarantines {
  readonly #all: Quarantine[] = [];
  readonly #universe: Universe;

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  add(of: Pick<Quarantine, 'account' | 'marks' | 'retainedUntil'>): Quarantine {
    const never = { acknowledgedAt: Infinity, releaseAskedAt: Infinity, releasedAt: Infinity };
    const quarantine = { ...of, ...never, askedAt: performance.now() };
    this.#all.push(quarantine);
    return quarantine;
  }

  active(): number {
    return this.#all.filter((each) => each.releasedAt === Infinity).length;
  }

  /** By which it must have been refused. @param what a blob's digest, or what a manifest is */
  certain(repository: string, what: string | Pushable, span: Span): Quarantine | undefined {
    return this.#all.find(
      (each) =>
        each.acknowledgedAt < span.startedAt &&
        each.releaseAskedAt > span.endedAt &&
        inScope(each, repository) &&
        (ofRepository(each, repository) ||
          (typeof what === 'string' ? namesDigest(each, what) : reachesManifest(each, what))),
    );
  }

  /** As `certain`; of an index also if it names one image that is reached. */
  certainForPush(repository: string, what: Pushable, span: Span): Quarantine | undefined {
    const parts = what.kind === 'image' ? [what] : [what, ...what.children];
    for (const part of parts) {
      const found = this.certain(repository, part, span);
      if (found) return found;
    }
    return undefined;
  }

  /** Whether refusing it can have had a cause. */
  possible(repository: string, what: string | Pushable, span: Span): boolean {
    return this.#all.some(
      (each) =>
        each.askedAt <= span.endedAt &&
        each.releasedAt >= span.startedAt &&
        inScope(each, repository) &&
        this.#mayReach(each, repository, what),
    );
  }

  /** Whether the end of a retention may have taken it away since then. */
  mayHaveTaken(repository: string, what: string | Pushable, since: number, now = performance.now()): boolean {
    return this.#all.some(
      (each) =>
        each.retainedUntil <= now &&
        each.releasedAt >= since &&
        inScope(each, repository) &&
        this.#mayReach(each, repository, what),
    );
  }

  #mayReach(quarantine: Quarantine, repository: string, what: string | Pushable): boolean {
    if (ofRepository(quarantine, repository)) return true;
    const digests =
      typeof what === 'string'
        ? [what]
        : imagesOf(what).flatMap((image) => [
            what.manifest.digest,
            image.manifest.digest,
            image.config.digest,
            ...image.layers.map((layer) => layer.digest),
          ]);
    const diffIds = digests.map((digest) => this.#universe.layer(digest)?.diffId).filter((id) => id);
    return quarantine.marks.some(
      (mark) =>
        (mark.digest !== null && digests.includes(mark.digest)) ||
        diffIds.some((id) => id === mark.diffId || id === this.#universe.layer(mark.digest ?? '')?.diffId),
    );
  }
}

function inScope({ account }: Quarantine, repository: string): boolean {
  return account === null || account === accountOf(repository);
}

/** Globs here are whole names. */
function ofRepository({ marks }: Quarantine, repository: string): boolean {
  return marks.some((mark) => mark.repositoryGlob === repository);
}

function namesDigest({ marks }: Quarantine, digest: string): boolean {
  return marks.some((mark) => mark.digest === digest);
}

/** Certainly. An index: itself, or all of its images. */
function reachesManifest(quarantine: Quarantine, what: Pushable): boolean {
  if (namesDigest(quarantine, what.manifest.digest)) return true;
  if (what.kind === 'index') return what.children.every((child) => reachesManifest(quarantine, child));
  return (
    namesDigest(quarantine, what.config.digest) ||
    what.layers.some(
      (layer) =>
        namesDigest(quarantine, layer.digest) ||
        quarantine.marks.some((mark) => mark.diffId === layer.diffId),
    )
  );
}
