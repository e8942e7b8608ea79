import { createHmac } from 'node:crypto';

/** The installation's key, which its regions share. A value's fingerprint says nothing to whoever lacks the key. */
export interface FingerprintKey {
  readonly version: number;
  readonly key: Uint8Array;
}

/** HMAC-SHA256 of the value's bytes. @param value Latin-1 */
export function fingerprintOf({ key }: FingerprintKey, value: string): Uint8Array {
  return createHmac('sha256', key).update(value, 'latin1').digest();
}

/** As people and criteria write it: the key's version, a colon, 64 hexadecimal digits. */
export function formatFingerprint(version: number, fingerprint: Uint8Array): string {
  return `${version}:${Buffer.from(fingerprint).toString('hex')}`;
}

/** undefined for what is none. */
export function parseFingerprint(text: string): { version: number; fingerprint: Uint8Array } | undefined {
  const [, version, hex] = /^([1-9][0-9]{0,8}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (version === undefined || hex === undefined) return undefined;
  return { version: Number(version), fingerprint: Buffer.from(hex, 'hex') };
}
