import { randomFillSync } from 'node:crypto';

/** The only source of chance. */
let bytesOf: (size: number) => Buffer = pooledBytes;

/** To be asked for a few bytes costs the generator as much as to be asked for many. */
const pool = Buffer.alloc(4096);
let poolUsed = pool.length;

function pooledBytes(size: number): Buffer {
  if (poolUsed + size > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const bytes = Buffer.from(pool.subarray(poolUsed, poolUsed + size));
  // What was given out is nowhere else.
  pool.fill(0, poolUsed, poolUsed + size);
  poolUsed += size;
  return bytes;
}

/** For the simulation alone, which has to replay a seed: from now on everything below draws from `source`. */
export function randomSourceReplace(source: (size: number) => Buffer): void {
  bytesOf = source;
}

/** RFC 9562 version 7: sorts by `atMs`, milliseconds since 1970. */
export function uuidv7(atMs: number): string {
  const bytes = bytesOf(16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** 32 hexadecimal characters. */
export function randomKey(): string {
  return bytesOf(16).toString('hex');
}

/**
 * 32 hexadecimal characters that sort by `atMs`, milliseconds since 1970; 80 bits are of chance, the last ones too. What
 * comes together, and mostly goes together, lies together in an index of such keys.
 */
export function keyInTime(atMs: number): string {
  return `${atMs.toString(16).padStart(12, '0')}${bytesOf(10).toString('hex')}`;
}

/** A whole number from 0, less than `below`, which is at most 2^32. */
export function randomNumber(below: number): number {
  return bytesOf(4).readUInt32BE() % below;
}

/** The key of an HMAC-SHA256. */
export function randomHmacKey(): Uint8Array {
  return bytesOf(32);
}

/** A password or token of 192 bits, in letters that need no quoting anywhere. */
export function randomSecret(): string {
  return bytesOf(24).toString('base64url');
}
