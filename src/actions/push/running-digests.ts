import { createHash, type Hash } from 'node:crypto';
import { limits } from '../../lib/limits.ts';
import { randomKey } from '../../lib/random.ts';
import type { ByteSource } from '../../lib/streams.ts';
import { type Digest, type DigestAlgorithm, digestEnd } from '../../oci/digest.ts';

/**
 * Digests of uploads, computed while their bytes pass, so that closing an upload need not read it again. It is only a
 * shortcut: an entry counts if it has seen exactly the bytes that are stored, from the first on, and if no other process
 * has written to the upload, which its row tells. After a restart, in another server process, or once an append failed in
 * the store, there is none, and the stored bytes are read instead.
 */
export class RunningDigests {
  /** This process, as the rows of uploads name it. */
  readonly process = randomKey();
  readonly #running = new Map<string, Running>();

  /** A new upload. sha256 is always computed. */
  begin(uploadId: string, algorithm: DigestAlgorithm = 'sha256'): void {
    const oldest = this.#running.size >= limits.openUploadsRememberedMax && this.#running.keys().next().value;
    if (oldest) this.#running.delete(oldest);
    const hashes = new Map([['sha256', createHash('sha256')]]);
    if (algorithm === 'sha512') hashes.set(algorithm, createHash(algorithm));
    this.#running.set(uploadId, { hashes, offset: 0, untouched: true });
  }

  /**
   * To be asked before each append. @returns true if it is the first one: the upload began in this process, and as its
   * row says no other process has written to it
   */
  beginsNow({ id, writer }: { readonly id: string; readonly writer: string }): boolean {
    const running = this.#running.get(id);
    if (running?.untouched !== true) return false;
    running.untouched = false;
    return writer === this.process;
  }

  /** The bytes of an upload that has only begun are to be known by this algorithm too. */
  also(uploadId: string, algorithm: DigestAlgorithm): void {
    const running = this.#running.get(uploadId);
    if (running?.offset === 0 && !running.hashes.has(algorithm))
      running.hashes.set(algorithm, createHash(algorithm));
  }

  /** Passes the bytes on that are to be stored at `offset`. Nothing changes until the first is taken. */
  async *follow(uploadId: string, offset: number, source: ByteSource): AsyncGenerator<Uint8Array> {
    const running = this.#running.get(uploadId);
    if (running?.offset !== offset) {
      this.#running.delete(uploadId);
      yield* source;
      return;
    }
    for await (const chunk of source) {
      for (const hash of running.hashes.values()) hash.update(chunk);
      running.offset += chunk.byteLength;
      yield chunk;
    }
  }

  /** Of the first `lengthBytes` bytes, if exactly those were seen. */
  get(uploadId: string, algorithm: DigestAlgorithm, lengthBytes: number): Digest | undefined {
    const running = this.#running.get(uploadId);
    const hash = running?.hashes.get(algorithm);
    return hash && running?.offset === lengthBytes ? digestEnd(hash.copy(), algorithm) : undefined;
  }

  forget(uploadId: string): void {
    this.#running.delete(uploadId);
  }
}

interface Running {
  readonly hashes: Map<string, Hash>;
  offset: number;
  /** Nobody has begun to append. */
  untouched: boolean;
}
