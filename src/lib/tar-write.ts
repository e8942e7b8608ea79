/** A file for a tar: POSIX pax, so that neither the length of its path nor its size has a limit. */
import { blockBytes } from './tar-header.ts';

/** What goes before the file's bytes. @param path with slashes, relative */
export function tarFileHeader(path: string, sizeBytes: number): Buffer {
  const record = paxRecord('path', path);
  const extended = Buffer.concat([
    headerBlock('PaxHeaders/file', record.length, 'x'),
    record,
    tarPadding(record.length),
  ]);
  return Buffer.concat([extended, headerBlock('file', sizeBytes, '0')]);
}

/** What goes behind them. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc(-sizeBytes & (blockBytes - 1));
}

/** How the archive ends. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

function headerBlock(name: string, sizeBytes: number, type: string): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** `LENGTH key=value\n`, whose length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length !== length) length = bytes + String(length).length;
  return Buffer.from(`${length}${rest}`);
}
