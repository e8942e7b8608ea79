import type { Clock } from '../../lib/clock.ts';
import type { Digest } from '../../oci/digest.ts';
import type { CliIo } from '../io.ts';
import { countText, digestText, sizeText } from '../words.ts';
import type { CopyEvents } from './copy-repository.ts';
import type { ImportPlan, PlannedManifest } from './import-plan.ts';
import type { Why } from './import-report.ts';

/** How often the line is written anew, and over how long the rate is taken. */
const writeEveryMs = 200;
const rateOverMs = 10_000;

export interface ProgressParts {
  readonly io: Pick<CliIo, 'note' | 'status'>;
  readonly clock: Pick<Clock, 'bootMs'>;
  readonly quiet: boolean;
}

/** For a person at a terminal: one line with rate and time left. For a log: one line per image. */
export class ImportProgress implements CopyEvents {
  readonly #parts: ProgressParts;
  readonly #positions = new Map<Digest, number>();
  readonly #samples: { readonly ms: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #blobs = 0;
  #of: Pick<ImportPlan, 'sizeBytes' | 'blobs'> = { sizeBytes: 0, blobs: 0 };
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
  }

  looking(repository: string, count: number): void {
    this.#status(
      () => `looking at ${repository} (${countText(count, 'repository').replace(/ys$/, 'ies')} so far)`,
    );
  }

  begin(plan: Pick<ImportPlan, 'sizeBytes' | 'blobs'>): void {
    this.#of = plan;
    this.#sample();
  }

  position(digest: Digest, bytes: number): void {
    this.#bytes += bytes - (this.#positions.get(digest) ?? 0);
    this.#positions.set(digest, bytes);
    this.#status(() => this.#line());
  }

  blobDone(digest: Digest, sizeBytes: number): void {
    this.#blobs += 1;
    this.position(digest, sizeBytes);
  }

  imageDone(repository: string, manifest: PlannedManifest, why: Why | undefined): void {
    if (this.#parts.quiet || this.#parts.io.status !== undefined) return;
    const names =
      manifest.tags.length === 0
        ? [`@${digestText(manifest.digest)}`]
        : manifest.tags.map((tag) => `:${tag}`);
    const became = why === undefined ? 'copied' : `${why.lack}: ${why.reason}`;
    for (const name of names) this.#parts.io.note(`${repository}${name}  ${became}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#writtenMs === Number.NEGATIVE_INFINITY) return;
    this.#writtenMs = Number.NEGATIVE_INFINITY;
    this.#parts.io.status?.('');
  }

  #status(line: () => string): void {
    const { io, clock, quiet } = this.#parts;
    if (quiet || io.status === undefined) return;
    const nowMs = clock.bootMs();
    if (nowMs - this.#writtenMs < writeEveryMs) return;
    this.#writtenMs = nowMs;
    this.#sample();
    io.status(line());
  }

  #sample(): void {
    const nowMs = this.#parts.clock.bootMs();
    this.#samples.push({ ms: nowMs, bytes: this.#bytes });
    while ((this.#samples[1]?.ms ?? nowMs) < nowMs - rateOverMs) this.#samples.shift();
  }

  #line(): string {
    const first = this.#samples[0] ?? { ms: 0, bytes: 0 };
    const last = this.#samples.at(-1) ?? first;
    const bytesPerSecond = ((last.bytes - first.bytes) * 1_000) / Math.max(1, last.ms - first.ms);
    const left = Math.max(0, this.#of.sizeBytes - this.#bytes);
    const parts = [
      `${this.#blobs} of ${countText(this.#of.blobs, 'blob')}`,
      `${sizeText(this.#bytes)} of ${sizeText(this.#of.sizeBytes)}`,
      ...(bytesPerSecond > 0
        ? [`${sizeText(bytesPerSecond)}/s`, `${leftText(left / bytesPerSecond)} left`]
        : []),
    ];
    return parts.join(' · ');
  }
}

/** `3 h 05 min`, `4 min 10 s`, `12 s`. */
function leftText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole >= 3_600) return `${Math.floor(whole / 3_600)} h ${two(Math.floor((whole % 3_600) / 60))} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
