import { parseBytes } from '../../lib/bytes.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Field } from '../../lib/fields.ts';
import type { ClamdConfig } from '../../outbound/clamd.ts';
import { clamdAddress } from '../../outbound/clamd-connection.ts';
import type { SettingKey } from './settings.ts';

/** Lengths are four bytes on the wire. */
const streamBytesMax = 2 ** 32 - 1;

/** undefined: malware is not looked for. @throws configInvalid */
export function clamavOf(field: (key: SettingKey) => Field): ClamdConfig | undefined {
  const socket = field('inspection.clamav.socket');
  const streamMax = sizeOf(field('inspection.clamav.streamMax'));
  const text = socket.string(256);
  if (text === '') return undefined;
  if (clamdAddress(text)) return { socket: text, streamBytesMax: streamMax };
  throw socket.error("must be the path of a socket, from '/' on, or host:port");
}

function sizeOf(field: Field): number {
  const bytes = bytesOf(field);
  if (bytes >= 1 && bytes <= streamBytesMax) return bytes;
  throw field.error(`must be from 1 to ${streamBytesMax} bytes`);
}

function bytesOf(field: Field): number {
  try {
    return parseBytes(field.text(32), field.path);
  } catch (cause) {
    if (cause instanceof LazaretError) throw field.error('must be a size such as 25MiB', { cause });
    throw cause;
  }
}
