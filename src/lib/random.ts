import { randomBytes } from 'node:crypto';

/** The only source of chance. */

/** RFC 9562 version 7: sorts by `atMs`, milliseconds since 1970. */
export function uuidv7(atMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** 32 hexadecimal characters: a storage key, an upload id. */
export function randomKey(): string {
  return randomBytes(16).toString('hex');
}

/** A password or token of 192 bits, in letters that need no quoting anywhere. */
export function randomSecret(): string {
  return randomBytes(24).toString('base64url');
}
