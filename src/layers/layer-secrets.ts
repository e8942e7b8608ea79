/**
 * The secrets of one layer, looked for in the bytes of each file as they pass by. Values stay in this thread and in its
 * memory: what leaves is a fingerprint. A secret stays found when a later entry has the same path, since its bytes stay
 * in the layer.
 */
import { type FingerprintKey, fingerprintOf } from '../secrets/fingerprint.ts';
import { secretsVersion } from '../secrets/kinds.ts';
import { SecretScan, secretsOfFileMax } from '../secrets/secret-scan.ts';
import type { EntryHeader } from './extractor.ts';
import type { Extraction, LayerSecret } from './inventory.ts';
import type { LayerLimits } from './layer-problem.ts';

/** The name of this reading among the extractors' results. */
export const secretsExtractor = 'secrets';

export class LayerSecrets {
  readonly #key: FingerprintKey | undefined;
  readonly #limits: LayerLimits;
  readonly #found: LayerSecret[] = [];
  #problem: string | undefined;
  #problems = 0;

  /** @param key without it nothing is looked for, and nothing said about it */
  constructor(key: FingerprintKey | undefined, limits: LayerLimits) {
    this.#key = key;
    this.#limits = limits;
  }

  /** A file whose bytes are to be handed over as they arrive. */
  open(header: EntryHeader): FileSecrets | undefined {
    const key = this.#key;
    if (key === undefined) return undefined;
    return new FileSecrets(header, {
      bytesMax: this.#limits.secretFileBytesMax,
      note: (problem) => this.#note(header.path, problem),
      keep: ({ kind, line, value }) => {
        if (this.#found.length >= this.#limits.layerSecretsMax)
          return this.#note(header.path, `more than ${this.#limits.layerSecretsMax} secrets in this layer`);
        const fingerprint = fingerprintOf(key, value);
        this.#found.push({ kind, path: header.path, line, fingerprint, keyVersion: key.version });
      },
    });
  }

  /** `layerProblem`: why nobody saw all of the layer. */
  result(layerProblem: string | undefined): { secrets: readonly LayerSecret[]; extractions: Extraction[] } {
    if (this.#key === undefined) return { secrets: [], extractions: [] };
    const more = this.#problems > 1 ? ` (and ${this.#problems - 1} more)` : '';
    const reason = layerProblem ?? (this.#problem === undefined ? undefined : `${this.#problem}${more}`);
    const extraction = { extractor: secretsExtractor, version: secretsVersion };
    return {
      secrets: this.#found,
      extractions: [
        reason === undefined ? { ...extraction, state: 'done' } : { ...extraction, state: 'unknown', reason },
      ],
    };
  }

  #note(path: string, problem: string): void {
    this.#problems += 1;
    this.#problem ??= `${path}: ${problem}`;
  }
}

interface FileDeps {
  readonly bytesMax: number;
  readonly note: (problem: string) => void;
  readonly keep: (secret: { kind: string; line: number; value: string }) => void;
}

export class FileSecrets {
  readonly #scan: SecretScan;
  readonly #sizeBytes: number;
  readonly #deps: FileDeps;
  #gotBytes = 0;

  constructor({ path, sizeBytes }: EntryHeader, deps: FileDeps) {
    this.#scan = new SecretScan(path);
    this.#sizeBytes = sizeBytes;
    this.#deps = deps;
  }

  push(bytes: Uint8Array): void {
    const room = this.#deps.bytesMax - this.#gotBytes;
    if (this.#gotBytes === 0 && bytes.length === this.#sizeBytes && bytes.length <= room)
      this.#scan.whole(bytes);
    else if (room > 0) this.#scan.push(bytes.subarray(0, room));
    this.#gotBytes += bytes.length;
  }

  end(): void {
    const { bytesMax, note, keep } = this.#deps;
    if (this.#gotBytes > bytesMax && this.#scan.isText)
      note(`${this.#gotBytes} bytes of text; secrets are looked for in the first ${bytesMax}`);
    for (const secret of this.#scan.end()) keep(secret);
    if (this.#scan.overflown) note(`more than ${secretsOfFileMax} secrets`);
  }
}
