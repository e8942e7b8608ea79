/**
 * Blobs of random bytes, each another one. Random bytes are made and hashed once and begin each blob; 64 of its own end
 * it. So a blob is there at once with its digest, whatever its size, and takes no memory of its own.
 */
import { createHash, type Hash, randomBytes, randomFillSync } from 'node:crypto';

const sharedBytes = 256 * 1024 * 1024;
const ownBytes = 64;

export interface PushedBlob {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly pieces: readonly Uint8Array[];
}

interface Beginning {
  readonly pieces: readonly Uint8Array[];
  readonly hash: Hash;
}

let shared: Buffer | undefined;
const beginnings = new Map<number, Beginning>();

export function randomBlob(sizeBytes: number): PushedBlob {
  const { pieces, hash } = beginning(sizeBytes - ownBytes);
  const own = randomBytes(ownBytes);
  const digest = `sha256:${hash.copy().update(own).digest('hex')}`;
  return { digest, sizeBytes, pieces: [...pieces, own] };
}

function beginning(bytes: number): Beginning {
  const known = beginnings.get(bytes);
  if (known) return known;
  shared ??= randomFillSync(Buffer.allocUnsafeSlow(sharedBytes));
  const pieces: Uint8Array[] = [];
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= sharedBytes) {
    const piece = shared.subarray(0, Math.min(left, sharedBytes));
    pieces.push(piece);
    hash.update(piece);
  }
  const made = { pieces, hash };
  beginnings.set(bytes, made);
  return made;
}
