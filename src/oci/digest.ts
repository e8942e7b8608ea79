import { createHash, type Hash } from 'node:crypto';
import { LazaretError } from '../lib/errors.ts';

/** `algorithm:hex`, of a registered algorithm and the right length (image-spec, descriptor.md#digests). */
export type Digest = `sha256:${string}` | `sha512:${string}`;
export type DigestAlgorithm = 'sha256' | 'sha512';

const pattern = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** @throws digestInvalid */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new LazaretError('digestInvalid', `'${text.slice(0, 160)}' is not a sha256 or sha512 digest`);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Ends `hash`, which is of `algorithm`, and names its result. */
export function digestEnd(hash: Hash, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${hash.digest('hex')}`;
}
