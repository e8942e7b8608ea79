/** Tars that are made while they are read, so that they may be larger than memory. */

/** One file: `piece` over and over. */
export async function* hugeFile(name: string, sizeBytes: number, piece: Buffer): AsyncGenerator<Uint8Array> {
  yield tarHeader(name, sizeBytes);
  for (let left = sizeBytes; left > 0; left -= piece.length) yield piece.subarray(0, left);
  yield Buffer.alloc(tarEnd.length + paddingOf(sizeBytes));
}

/** So many files, each with a few bytes of its own; `sizeBytes` 0 makes them empty. */
export async function* manyFiles(count: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const together = 1_000;
  for (let at = 0; at < count; at += together) {
    const parts: Buffer[] = [];
    for (let file = at; file < Math.min(count, at + together); file++) {
      parts.push(tarHeader(`srv/${Math.floor(file / together)}/${file}`, sizeBytes));
      if (sizeBytes > 0) parts.push(Buffer.alloc(sizeBytes + paddingOf(sizeBytes), `${file} `));
    }
    yield Buffer.concat(parts);
  }
  yield tarEnd;
}

/** @see pax(1), the ustar interchange format */
export function tarHeader(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

export const tarEnd = Buffer.alloc(1_024);

function paddingOf(sizeBytes: number): number {
  return (512 - (sizeBytes % 512)) % 512;
}
