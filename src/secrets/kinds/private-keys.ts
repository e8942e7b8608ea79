import type { SecretKind } from '../secret-kind.ts';

/** Of the base64 in a key: 64 characters are 48 bytes, less than the smallest key of any sort. */
const base64CharsMin = 64;

/** A key of 16,384 bits takes 12,700 characters. */
const pemBytes = 14_000;

export const privateKeys: readonly SecretKind[] = [
  {
    id: 'private-key',
    title: 'private key: PEM (RSA, EC, DSA, PKCS #8) or OpenSSH, not encrypted',
    anchors: ['PRIVATE KEY-----'],
    pattern:
      /-----BEGIN (?<label>(?:RSA |EC |DSA |OPENSSH |ANY |SSH2 )?)PRIVATE KEY-----(?<value>[A-Za-z0-9+/=\s\\]{64,13000})-----END /g,
    before: 20,
    after: pemBytes,
    read: readPem,
  },
  {
    id: 'pgp-private-key',
    title: 'OpenPGP private key',
    anchors: ['PGP PRIVATE KEY BLOCK'],
    pattern: /-----BEGIN PGP PRIVATE KEY BLOCK-----(?<value>[A-Za-z0-9+/=\s\\:,.()@<>]{100,13000})-----END /g,
    before: 11,
    after: pemBytes,
    read: ({ groups }) => withoutBlanks(groups?.value ?? ''),
  },
  {
    id: 'putty-private-key',
    title: 'PuTTY private key, not encrypted',
    anchors: ['PuTTY-User-Key-File-'],
    pattern:
      /PuTTY-User-Key-File-[23]: [a-z0-9@.-]{1,60}\r?\nEncryption: none\r?\nComment: [^\r\n]{0,200}\r?\nPublic-Lines: \d{1,3}\r?\n[A-Za-z0-9+/=\r\n]{1,4000}Private-Lines: \d{1,3}\r?\n(?<value>[A-Za-z0-9+/=\r\n]{32,8000})/g,
    before: 0,
    after: pemBytes,
    read: ({ groups }) => withoutBlanks(groups?.value ?? ''),
  },
  {
    id: 'age-secret-key',
    title: 'age secret key',
    anchors: ['AGE-SECRET-KEY-1'],
    pattern: /(?<value>AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})/g,
    before: 0,
    after: 80,
  },
];

/**
 * The key's base64 in one line, however the file wraps it, or escapes its line ends (as in JSON); undefined of what is
 * encrypted, shortened or made up.
 */
function readPem({ groups }: RegExpExecArray): string | undefined {
  // An encrypted PKCS #1 key has headers with dashes, which the pattern takes for the end.
  const body = withoutBlanks(groups?.value ?? '');
  if (body.length < base64CharsMin || !/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return undefined;
  const bytes = Buffer.from(body, 'base64');
  return groups?.label === 'OPENSSH '
    ? isOpenOpenSsh(bytes)
      ? body
      : undefined
    : isSequence(bytes)
      ? body
      : undefined;
}

function withoutBlanks(text: string): string {
  return text.replace(/\\[nrt]|[\s\\]/g, '');
}

/** ASN.1: a sequence that is as long as it says (X.690, 8.1.3). */
function isSequence(der: Buffer): boolean {
  if (der[0] !== 0x30) return false;
  const lengthByte = der[1] ?? 0;
  if (lengthByte < 0x80) return der.length >= 2 + lengthByte;
  const lengthBytes = lengthByte & 0x7f;
  if (lengthBytes === 0 || lengthBytes > 3 || der.length < 2 + lengthBytes) return false;
  return der.length >= 2 + lengthBytes + der.readUIntBE(2, lengthBytes);
}

/** OpenSSH's PROTOCOL.key: a magic word, then the name of the cipher. */
function isOpenOpenSsh(bytes: Buffer): boolean {
  const magic = Buffer.from('openssh-key-v1\0\0\0\0\x04none', 'latin1');
  return bytes.subarray(0, magic.length).equals(magic);
}
